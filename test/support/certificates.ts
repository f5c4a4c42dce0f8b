// Certificates for tests, made by openssl in a container: of an authority, of a
// server on this machine, and of clients good and bad.

import { GenericContainer } from 'testcontainers';
import { testImage } from './images.ts';

/** PEM texts. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface TestCertificates {
  /** The authority that signed all but `foreign`. */
  readonly ca: string;
  readonly server: Certificate;
  /** Its common name is `cobalt`. */
  readonly client: Certificate;
  /** Its time ran out long ago. */
  readonly expired: Certificate;
  /** Of an authority that nobody knows, whose own certificate is `foreignCa`. */
  readonly foreign: Certificate;
  readonly foreignCa: string;
}

const SCRIPT = `
cd "$(mktemp -d)"
new='openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2'
authority() { $new -subj "/CN=$1" -keyout "$1.key" -out "$1.pem"; }
signed() { by=$1 name=$2 cn=$3; shift 3
  $new -CA "$by.pem" -CAkey "$by.key" -subj "/CN=$cn" -keyout "$name.key" -out "$name.pem" \\
    -addext basicConstraints=critical,CA:FALSE -addext extendedKeyUsage=serverAuth,clientAuth "$@"; }
{ authority ca; authority foreignCa
  signed ca server etcd -addext subjectAltName=IP:127.0.0.1,DNS:localhost
  signed ca client cobalt
  signed ca expired cobalt -not_before 20200101000000Z -not_after 20200102000000Z
  signed foreignCa foreign cobalt; } 2>/dev/null
for file in *.pem *.key; do echo "== $file"; cat "$file"; done
`;

export async function makeCertificates(): Promise<TestCertificates> {
  await using container = await new GenericContainer(testImage('etcd'))
    .withEntrypoint(['sleep'])
    .withCommand(['60'])
    .start();
  const { exitCode, output } = await container.exec(['sh', '-euc', SCRIPT]);
  if (exitCode !== 0) throw new Error(`openssl failed: ${output}`);
  const files = new Map(
    output
      .split('== ')
      .slice(1)
      .map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1)]),
  );
  const file = (name: string): string => {
    const found = files.get(name);
    if (found === undefined) throw new Error(`openssl made no ${name}: ${output}`);
    return found;
  };
  const pair = (name: string): Certificate => ({ cert: file(`${name}.pem`), key: file(`${name}.key`) });
  return {
    ca: file('ca.pem'),
    server: pair('server'),
    client: pair('client'),
    expired: pair('expired'),
    foreign: pair('foreign'),
    foreignCa: file('foreignCa.pem'),
  };
}
