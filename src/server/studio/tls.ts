/** The studio's own certificate: read from its files, held to its key before anything listens, and read again when it is renewed. */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { Server } from 'node:https';
import { InputError } from '../../errors.ts';

/** Paths of PEM files. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

export interface TlsPair {
  readonly cert: string;
  readonly key: string;
  /** The first of the file: the studio's own, issuers follow. */
  readonly certificate: X509Certificate;
}

/** Throws InputError for what is missing, closed, no PEM, under a passphrase, or does not belong together. */
export function readTls({ cert, key }: TlsFiles): TlsPair {
  const [certText, keyText] = [read(cert, '--tls-cert'), read(key, '--tls-key')];
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(certText);
  } catch (cause) {
    throw new InputError({ expected: 'a certificate as PEM (-----BEGIN CERTIFICATE-----)', found: /PRIVATE KEY/.test(certText) ? 'a key' : 'something else', where: cert, remedy: /PRIVATE KEY/.test(certText) ? 'Swap --tls-cert and --tls-key.' : 'Give the certificate with its chain, such as fullchain.pem.' }, { cause });
  }
  const privateKey = keyOf(keyText, key);
  if (!certificate.checkPrivateKey(privateKey)) throw new InputError({ expected: `the key of ${cert}`, found: 'the key of another certificate', where: key, remedy: 'Give the two files that were made together.' });
  return { cert: certText, key: keyText, certificate };
}

function read(path: string, flag: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const closed = (cause as NodeJS.ErrnoException).code === 'EACCES';
    throw new InputError({ expected: 'a PEM file', found: closed ? 'one that this user may not read' : 'nothing there', where: `${flag} ${path}`, remedy: closed ? `Let its group read it: chgrp "$(id -gn)" ${path} && chmod g+r ${path}` : 'Check the path.' }, { cause });
  }
}

function keyOf(text: string, path: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch (cause) {
    const locked = /ENCRYPTED/.test(text);
    throw new InputError({ expected: 'a private key as PEM', found: locked ? 'one under a passphrase, which nobody is there to type' : 'something else', where: path, remedy: locked ? `Take it off: openssl pkey -in ${path} -out key.pem` : 'Give the key that the certificate was made with.' }, { cause });
  }
}

/**
 * Looks every `ms` whether the files have changed, and serves new connections with what they hold then. A pair that does not fit (a renewal
 * that is half written) is told of and tried again the next time; the old one stays. Returns how to stop.
 */
export function followTls(server: Server, files: TlsFiles, ms: number, onFault: (error: unknown) => void): () => void {
  const stamp = (): string => [files.cert, files.key].map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0).join(' ');
  let seen = stamp();
  let told = seen;
  const timer = setInterval(() => {
    const now = stamp();
    if (now === seen) return;
    try {
      const { cert, key } = readTls(files);
      server.setSecureContext({ cert, key });
      seen = now;
    } catch (error) {
      if (told !== now) onFault(error);
      told = now;
    }
  }, ms);
  timer.unref();
  return () => clearInterval(timer);
}
