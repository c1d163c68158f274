import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type handleUnaryCall, Server, ServerCredentials, type ServiceDefinition, status } from '@grpc/grpc-js';
import { CofferError } from '../../core/errors.ts';
import type { Methods } from './csi.ts';
import { decode, encode, type Given, type Of } from './protobuf.ts';

/** Answers one method; the signal ends when the caller gave up. What is thrown as a GrpcError becomes that status. */
type Handler<Row> = Row extends readonly [infer Request, infer Response]
  ? (request: Of<Request & {}>, signal: AbortSignal) => Promise<Given<Response & {}>>
  : never;

export type Handlers<Described extends Methods> = { [Method in keyof Described]: Handler<Described[Method]> };

export interface Service {
  name: string;
  methods: Methods;
  handlers: Record<string, (request: never, signal: AbortSignal) => Promise<object>>;
}

/** What the caller is told: kubelet shows it in Events, so it holds neither a value nor a token. */
export class GrpcError extends Error {
  readonly code: status;

  constructor(code: status, message: string) {
    super(message);
    this.name = 'GrpcError';
    this.code = code;
  }
}

export function service<Described extends Methods>(
  name: string,
  methods: Described,
  handlers: Handlers<Described>,
): Service {
  return { name, methods, handlers: handlers as unknown as Service['handlers'] };
}

/**
 * Serves on a unix socket, which takes the place of one that a killed process left. `failed` hears of mistakes of ours. Throws
 * CofferError `NODE_SOCKET`.
 */
export async function listen(
  socket: string,
  services: readonly Service[],
  failed: (error: unknown) => void,
): Promise<{ close(): Promise<void> }> {
  const server = new Server();
  for (const { name, methods, handlers } of services) {
    const implementation = Object.entries(handlers).map(([method, handler]) => [method, unary(handler, failed)]);
    server.addService(definition(name, methods), Object.fromEntries(implementation));
  }
  try {
    await mkdir(dirname(socket), { recursive: true, mode: 0o750 });
    await rm(socket, { force: true });
    await bind(server, socket);
  } catch (error) {
    server.forceShutdown();
    throw new CofferError('NODE_SOCKET', `The node plugin cannot listen on ${socket}.`, {
      advice: "Mount kubelet's folders plugins and plugins_registry into its container, and run it as root.",
      data: { path: socket },
      loop: 'stop',
      cause: error,
    });
  }
  return {
    close: async () => {
      await new Promise<void>((closed) => server.tryShutdown(() => closed()));
      await rm(socket, { force: true });
    },
  };
}

function bind(server: Server, socket: string): Promise<void> {
  return new Promise((bound, failed) => {
    server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) =>
      error ? failed(error) : bound(),
    );
  });
}

function definition(name: string, methods: Methods): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(methods).map(([method, [request, response]]) => [
      method,
      {
        path: `/${name}/${method}`,
        requestStream: false,
        responseStream: false,
        requestSerialize: (given: object) => encode(request, given),
        requestDeserialize: (bytes: Buffer) => decode(request, bytes),
        responseSerialize: (given: object) => encode(response, given),
        responseDeserialize: (bytes: Buffer) => decode(response, bytes),
      },
    ]),
  );
}

function unary(handler: Service['handlers'][string], failed: (error: unknown) => void): handleUnaryCall<never, object> {
  return (call, answer) => {
    const leaving = new AbortController();
    call.once('cancelled', () => leaving.abort());
    handler(call.request, leaving.signal).then(
      (response) => answer(null, response),
      (error: unknown) => {
        if (error instanceof GrpcError) {
          answer({ code: error.code, details: error.message });
          return;
        }
        failed(error);
        answer({ code: status.INTERNAL, details: "A mistake of coffer's node plugin; its log says more." });
      },
    );
  };
}
