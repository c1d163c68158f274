/** The node plugin as a process of its own, and a client that calls it as kubelet does. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { type Methods, NODE, SERVICES } from '../../../operator/node-plugin/csi.ts';
import { decode, encode, type Given, type Of } from '../../../operator/node-plugin/protobuf.ts';

/** Milliseconds; kubelet takes its time. */
const PATIENCE = 240_000;
const MAIN = join(import.meta.dirname, '../../../operator/node-plugin/main.ts');

export interface PluginOptions {
  operator: string;
  trustDirectory: string;
  kubeletDirectory: string;
  privateDirectory: string;
  node?: string;
  /** More arguments of the program. */
  more?: string[];
}

export class Plugin {
  readonly socket: string;
  readonly #process: ChildProcess;
  readonly #lines: string[] = [];
  readonly #listeners = new Set<() => void>();

  private constructor(socket: string, child: ChildProcess) {
    this.socket = socket;
    this.#process = child;
  }

  /** Resolves when it serves. */
  static async start(t: Pick<TestContext, 'after'>, options: PluginOptions): Promise<Plugin> {
    const { operator, trustDirectory, kubeletDirectory, privateDirectory, node = 'node', more = [] } = options;
    const child = spawn(
      process.execPath,
      [
        ...[MAIN, '--operator', operator, '--trust', trustDirectory, '--kubelet', kubeletDirectory],
        ...['--private', privateDirectory, '--node', node, ...more],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const plugin = new Plugin(join(kubeletDirectory, 'plugins/csi.coffer.dev/csi.sock'), child);
    t.after(() => plugin.kill());
    await plugin.#untilServing();
    return plugin;
  }

  /** Of the log, in JSON, and whatever else it printed. */
  get output(): string {
    return this.#lines.join('\n');
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill('SIGTERM');
    await once(this.#process, 'exit');
  }

  /** As a crash: nothing is tidied. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill('SIGKILL');
    await once(this.#process, 'exit');
  }

  publish(request: Given<(typeof NODE)['NodePublishVolume'][0]>, signal?: AbortSignal): Promise<object> {
    return call(this.socket, SERVICES.node, NODE, 'NodePublishVolume', request, signal);
  }

  unpublish(id: string, target: string): Promise<object> {
    const request = { volume_id: id, target_path: target };
    return call(this.socket, SERVICES.node, NODE, 'NodeUnpublishVolume', request);
  }

  /** When it has logged a line that answers. */
  async said(answers: (line: string) => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = () => {
      if (this.#lines.some(answers)) resolve();
    };
    const timer = setTimeout(() => reject(new Error(`it did not say so, but:\n${this.output}`)), PATIENCE);
    this.#listeners.add(look);
    look();
    await promise.finally(() => clearTimeout(timer));
    this.#listeners.delete(look);
  }

  async #untilServing(): Promise<void> {
    const { stdout, stderr } = this.#process;
    if (stdout === null || stderr === null) throw new Error('without pipes');
    const serving = Promise.withResolvers<void>();
    for (const stream of [stdout, stderr])
      createInterface(stream).on('line', (line) => {
        this.#lines.push(line);
        for (const look of this.#listeners) look();
        if (line.includes('"serving"')) serving.resolve();
      });
    this.#process.once('exit', () => serving.reject(new Error(`the plugin ended:\n${this.output}`)));
    await serving.promise;
  }
}

/** One call of a service on a unix socket; rejects with a ServiceError. */
export async function call<Described extends Methods, Method extends keyof Described & string>(
  socket: string,
  service: string,
  methods: Described,
  method: Method,
  given: object,
  signal?: AbortSignal,
): Promise<Of<Described[Method][1]>> {
  const [request, response] = methods[method] ?? [{}, {}];
  const client = new Client(`unix:${socket}`, credentials.createInsecure());
  try {
    return await new Promise((resolve, reject) => {
      const calling = client.makeUnaryRequest(
        `/${service}/${method}`,
        (message: object) => encode(request, message),
        (bytes: Buffer) => decode(response, bytes) as Of<Described[Method][1]>,
        given,
        (error: ServiceError | null, answer?: Of<Described[Method][1]>) =>
          answer === undefined ? reject(error) : resolve(answer),
      );
      signal?.addEventListener('abort', () => calling.cancel(), { once: true });
    });
  } finally {
    client.close();
  }
}
