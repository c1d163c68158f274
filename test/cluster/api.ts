import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { setTimeout } from 'node:timers/promises';
import { isSystemError } from '../../core/files/system-error.ts';

const BUSY_MS = 100;
/** Less than the 90 seconds after which an API server closes a connection that is idle: it might do so while a request is on its way. */
const IDLE_MS = 30_000;

export interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: { metadata: { name: string; namespace?: string; annotations?: Record<string, string> } };
}

interface Answer {
  status: number;
  /** Of text. */
  chunks: AsyncIterable<string>;
}

/** What the harness itself asks of an API server, as its administrator. */
export class AdminApi {
  readonly #server: string;
  readonly #token: string;
  readonly #agent: Agent;

  constructor(server: string, caFile: string, token: string) {
    this.#server = server;
    this.#token = token;
    this.#agent = new Agent({ ca: readFileSync(caFile), keepAlive: true, timeout: IDLE_MS });
  }

  /** Status and body; rejects when the server cannot be reached. `type`: of a patch. */
  async ask(method: string, path: string, body?: object, type?: string): Promise<{ status: number; text: string }> {
    const { status, chunks } = await this.#open(method, path, body, type === undefined ? {} : { 'content-type': type });
    let text = '';
    for await (const chunk of chunks) text += chunk;
    return { status, text };
  }

  /** As `ask`, but rejects when the status is neither 2xx nor among `others`. */
  async expect(method: string, path: string, body?: object, others: readonly number[] = []): Promise<string> {
    const { status, text } = await this.ask(method, path, body);
    if (status >= 300 && !others.includes(status)) throw new Error(`${method} ${path}: ${status} ${text}`);
    return text;
  }

  /** What a watch (a path with `watch=1`) reports, until the server ends it or the caller leaves the loop. */
  async *events(path: string, accept = 'application/json'): AsyncGenerator<WatchEvent> {
    let { status, chunks } = await this.#open('GET', path, undefined, { accept });
    // A kind that has just been defined says this until its cache is there.
    for (; status === 429; { status, chunks } = await this.#open('GET', path, undefined, { accept })) {
      for await (const _ of chunks);
      await setTimeout(BUSY_MS);
    }
    if (status >= 300) throw new Error(`GET ${path}: ${status}`);
    let rest = '';
    for await (const chunk of chunks) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield JSON.parse(line);
    }
  }

  /** Waits until a watch reports something. */
  async firstEvent(path: string): Promise<void> {
    for await (const _ of this.events(path)) return;
    throw new Error(`GET ${path} ended without an event`);
  }

  close(): void {
    this.#agent.destroy();
  }

  #open(method: string, path: string, body?: object, own: Record<string, string> = {}): Promise<Answer> {
    const headers = { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json', ...own };
    return new Promise((resolve, reject) => {
      const sent = request(`${this.#server}${path}`, { method, agent: this.#agent, headers }, (response) => {
        response.setEncoding('utf8');
        resolve({ status: response.statusCode ?? 0, chunks: response });
      });
      sent.once('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}

/** Whether a request failed because its server has gone: a new connection is refused, one that was kept alive is reset. */
export function isServerGone(error: unknown): boolean {
  return isSystemError(error, 'ECONNREFUSED', 'ECONNRESET', 'EPIPE');
}
