import type { Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { CofferError } from '../../core/errors.ts';

type Server = HttpServer | HttpsServer;

/**
 * `port`: 0 lets the system choose; `setting`: where the configuration says so; `failed` learns of connections that could not
 * be taken later, as without a file descriptor left. Throws CofferError `SERVE_ADDRESS`.
 */
export async function listen(
  server: Server,
  { host, port }: { host: string; port: number },
  setting: string,
  failed: (error: unknown) => void,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, host, resolve);
  try {
    await promise;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) throw error;
    throw new CofferError('SERVE_ADDRESS', `The operator cannot listen on ${host}:${port} (${error.code}).`, {
      advice: `Choose another ${setting}, or stop what listens there.`,
      loop: 'stop',
      cause: error,
    });
  }
  server.off('error', reject).on('error', failed);
}

/** `SCHEME://HOST:PORT` as it came out. */
export function addressOf(server: Server, scheme: 'http' | 'https'): string {
  const { address, family, port } = server.address() as AddressInfo;
  return `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

/** Ends the connections that are open, too. */
export function stopListening(server: Server): Promise<void> {
  return new Promise((closed) => {
    server.close(() => closed());
    server.closeAllConnections();
  });
}
