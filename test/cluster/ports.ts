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

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
