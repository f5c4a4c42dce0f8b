// Secrets and certificates, read from the files that the settings name. What is
// read is never logged; what is wrong with a file is said with its path alone.

import { createHash, createPrivateKey, type KeyObject, timingSafeEqual, X509Certificate } from 'node:crypto';
import { open } from 'node:fs/promises';
import { RigError } from '../base/errors.ts';
import type { SecuritySettings } from './security-settings.ts';

/** A certificate chain with its key, and the authorities that sign the other side's; all PEM. */
export interface TlsCredentials {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

export interface EtcdCredentials {
  readonly user?: string;
  readonly password?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface Credentials {
  /** What clients of the API must show; null: nothing. */
  readonly apiToken: string | null;
  /** Of the API and the agent; null: plain HTTP. */
  readonly tls: TlsCredentials | null;
  readonly etcd: EtcdCredentials;
}

/** Far above any bundle of certificates; a file that is larger is another file. */
const FILE_LIMIT_BYTES = 1024 * 1024;
const OTHERS_MAY_READ_OR_WRITE = 0o006;
/** What RFC 6750 lets stand in a header, and nothing that could be guessed soon. */
const TOKEN = /^[\x21-\x7e]{16,512}$/;
const PASSWORD = /^[^\p{Cc}]{1,512}$/u;

/** Throws `invalid`, naming every file, for those that is missing, unreadable, empty, malformed or open to others. */
export async function readCredentials(settings: SecuritySettings): Promise<Credentials> {
  const [apiToken, tls, etcd] = await allOf([
    readSecret(settings.apiTokenFile, TOKEN, 'a token of 16-512 visible ASCII characters'),
    readTls(settings),
    readEtcd(settings),
  ]);
  return { apiToken, tls, etcd };
}

/** Whether what a client shows is the token, in a time that tells nothing about how much of it is right. */
export function tokenCheck(token: string): (presented: string) => boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  const expected = digest(token);
  return (presented) => timingSafeEqual(digest(presented), expected);
}

/** As Promise.all, but rejects with all that went wrong, so that people can mend it at once. */
async function allOf<T extends readonly unknown[]>(
  reading: readonly [...{ [Index in keyof T]: T[Index] | Promise<T[Index]> }],
): Promise<T> {
  const settled = await Promise.allSettled(reading);
  const errors = settled.flatMap((each) => (each.status === 'rejected' ? [RigError.from(each.reason)] : []));
  const [first] = errors;
  if (first !== undefined && errors.length === 1) throw first;
  if (first !== undefined) {
    const distinct = (texts: readonly (string | undefined)[]): string[] => [
      ...new Set(texts.filter((text) => text !== undefined)),
    ];
    throw new RigError('invalid', distinct(errors.map(({ message }) => message)).join('; '), {
      next: distinct(errors.map(({ next }) => next)).join(' '),
    });
  }
  return settled.map((each) => (each as PromiseFulfilledResult<unknown>).value) as unknown as T;
}

async function readTls(settings: SecuritySettings): Promise<TlsCredentials | null> {
  const { tlsCertFile, tlsKeyFile, tlsCaFile } = settings;
  if (tlsCertFile === null || tlsKeyFile === null || tlsCaFile === null) return null;
  const [pair, ca] = await allOf([readPair(tlsCertFile, tlsKeyFile), readCertificates(tlsCaFile)]);
  return { ...pair, ca };
}

async function readEtcd(settings: SecuritySettings): Promise<EtcdCredentials> {
  const { etcdUser, etcdPasswordFile, etcdCaFile, etcdCertFile, etcdKeyFile } = settings;
  const [password, ca, pair] = await allOf([
    readSecret(etcdPasswordFile, PASSWORD, 'a password of 1-512 characters on one line'),
    etcdCaFile === null ? null : readCertificates(etcdCaFile),
    etcdCertFile === null || etcdKeyFile === null ? {} : readPair(etcdCertFile, etcdKeyFile),
  ]);
  return {
    ...(etcdUser === null || password === null ? {} : { user: etcdUser, password }),
    ...(ca === null ? {} : { ca }),
    ...pair,
  };
}

/** A certificate and the key that belongs to it. */
async function readPair(certPath: string, keyPath: string): Promise<{ cert: string; key: string }> {
  const [cert, key] = await allOf([readCertificates(certPath), readFile(keyPath, { secret: true })]);
  if (!new X509Certificate(cert).checkPrivateKey(parsedKey(keyPath, key))) {
    throw refusal(keyPath, `is not the key of the certificate in ${certPath}`);
  }
  return { cert, key };
}

async function readCertificates(path: string): Promise<string> {
  const pem = await readFile(path, { secret: false });
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw refusal(path, 'holds no certificate in PEM');
  for (const block of blocks) {
    try {
      new X509Certificate(block);
    } catch (cause) {
      throw refusal(path, 'holds a certificate that cannot be read', cause);
    }
  }
  return pem;
}

function parsedKey(path: string, pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // No cause: it might quote the key.
    throw refusal(path, 'holds no private key in PEM, or one that is encrypted');
  }
}

async function readSecret(path: string | null, pattern: RegExp, what: string): Promise<string | null> {
  if (path === null) return null;
  const secret = (await readFile(path, { secret: true })).replace(/\r?\n$/, '');
  if (!pattern.test(secret)) throw refusal(path, `does not hold ${what}`);
  return secret;
}

async function readFile(path: string, { secret }: { readonly secret: boolean }): Promise<string> {
  try {
    // One handle for all: what is looked at is what is read.
    await using file = await open(path, 'r');
    const found = await file.stat();
    if (!found.isFile()) throw refusal(path, 'is not a file');
    if (found.size > FILE_LIMIT_BYTES) throw refusal(path, `is larger than ${FILE_LIMIT_BYTES} bytes`);
    if (secret && (found.mode & OTHERS_MAY_READ_OR_WRITE) !== 0) {
      throw new RigError('invalid', `${path} can be read or written by every user`, {
        next: `Run chmod o-rwx on it; who could read it until now may have.`,
      });
    }
    const text = await file.readFile('utf8');
    if (text.trim() === '') throw refusal(path, 'is empty');
    return text;
  } catch (error) {
    if (error instanceof RigError) throw error;
    const { code = 'no reason given' } = error as NodeJS.ErrnoException;
    throw refusal(path, code === 'ENOENT' ? 'is missing' : `cannot be read (${code})`, error);
  }
}

function refusal(path: string, what: string, cause?: unknown): RigError {
  const next = 'Put it there, or set the variable that names it as .env.template describes it.';
  return new RigError('invalid', `${path} ${what}`, { next, cause });
}
