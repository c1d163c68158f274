import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';

/** What the harness itself asks of an API server, as its administrator. */
export class AdminApi {
  readonly #server: string;
  readonly #token: string;
  readonly #agent: Agent;

  constructor(server: string, caFile: string, token: string) {
    this.#server = server;
    this.#token = token;
    this.#agent = new Agent({ ca: readFileSync(caFile), keepAlive: true });
  }

  /** Status and body; rejects when the server cannot be reached. */
  async ask(method: string, path: string, body?: object): Promise<{ status: number; text: string }> {
    const { status, chunks } = await this.#open(method, path, body);
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

  /** Waits until a watch (a path with `watch=1`) reports its first event. */
  async firstEvent(path: string): Promise<void> {
    const { status, chunks } = await this.#open('GET', path);
    for await (const _ of chunks) {
      if (status < 300) return;
    }
    throw new Error(`GET ${path}: ${status}, and no event`);
  }

  close(): void {
    this.#agent.destroy();
  }

  #open(method: string, path: string, body?: object): Promise<{ status: number; chunks: AsyncIterable<Buffer> }> {
    const headers = { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' };
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
