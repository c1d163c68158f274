import type { Server, Socket } from 'node:net';
import { freePorts } from '../cluster/ports.ts';

const ATTEMPTS = 5;

/**
 * What closes a server of ours. Resolves when it and all its connections are gone: those too that are in a handshake, or were
 * accepted just now, which `closeAllConnections` of an HTTP server does not know. To be called before it listens.
 */
export function closing(server: Server): () => Promise<void> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
}

/** Starts a program on a port that is free now. Somebody may be faster: it then says so, matching `lost`, and gets another. */
export async function onFreePort<Result>(lost: RegExp, start: (port: number) => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    const [port = 0] = await freePorts(1);
    try {
      return await start(port);
    } catch (error) {
      if (attempt === ATTEMPTS || !lost.test(String(error))) throw error;
    }
  }
}
