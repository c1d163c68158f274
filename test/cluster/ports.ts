import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below the range from which kernels take the ports of outgoing connections, so that a stopped server finds its own again. */
const [LOWEST, HIGHEST] = [20_000, 32_000];

/** Ports that nobody listens on at 127.0.0.1 at this moment, each another one. Somebody may be faster: be ready to retry. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = randomInt(LOWEST, HIGHEST);
    if (!found.has(port) && (await isFree(port))) found.add(port);
  }
  return [...found];
}

/**
 * A loopback address that nobody else listens at, be it on a fixed port: for what cannot be asked to try another port. Linux answers
 * for all of 127.0.0.0/8.
 */
export function ownAddress(): string {
  return `127.${randomInt(1, 255)}.${randomInt(256)}.${randomInt(1, 255)}`;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
