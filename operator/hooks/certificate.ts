import { readFile } from 'node:fs/promises';
import type { Server } from 'node:https';
import { createSecureContext } from 'node:tls';
import { CofferError } from '../../core/errors.ts';
import type { Log } from '../process/log.ts';

export interface CertificateFiles {
  certFile: string;
  keyFile: string;
}

/** PEM. */
export interface Pair {
  cert: Buffer;
  key: Buffer;
}

/** Milliseconds between looks at the files: certificates are renewed days before they expire. */
const INTERVAL = 30_000;

/** Throws CofferError `WEBHOOK_CERTIFICATE`. */
export async function readPair({ certFile, keyFile }: CertificateFiles): Promise<Pair> {
  try {
    const [cert, key] = await Promise.all([readFile(certFile), readFile(keyFile)]);
    createSecureContext({ cert, key });
    return { cert, key };
  } catch (cause) {
    throw new CofferError('WEBHOOK_CERTIFICATE', 'The certificate of the webhooks, or its key, cannot be used.', {
      advice: 'See that serve.webhooks.certFile and keyFile are readable, PEM, and belong together.',
      data: { path: certFile },
      loop: 'retry',
      cause,
    });
  }
}

/** Uses the files as they become; where they cannot be used, the pair from before stays. Call what is returned at the end. */
export function followPair(
  server: Pick<Server, 'setSecureContext'>,
  files: CertificateFiles,
  first: Pair,
  log: Log,
  interval = INTERVAL,
): () => void {
  let used = first;
  let isBroken = false;
  const look = async () => {
    try {
      const pair = await readPair(files);
      isBroken = false;
      if (pair.cert.equals(used.cert) && pair.key.equals(used.key)) return;
      server.setSecureContext(pair);
      used = pair;
    } catch (error) {
      if (!isBroken) log.thrown(error);
      isBroken = true;
    }
  };
  const timer = setInterval(look, interval);
  timer.unref();
  return () => clearInterval(timer);
}
