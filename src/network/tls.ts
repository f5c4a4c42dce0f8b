/** All PEM. With it a process listens with TLS, and shows its certificate to whom it calls. */
export interface NetworkTls {
  readonly cert: string;
  readonly key: string;
  /** Who signs the other side's certificate, whose names must fit the URL. */
  readonly ca: string;
  /** Whoever calls must show a certificate signed by `ca`. */
  readonly requireClientCert: boolean;
}
