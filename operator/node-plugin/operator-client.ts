import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { CofferError } from '../../core/errors.ts';
import { readIfThere } from '../../core/files/read-if-there.ts';
import {
  type Entries,
  jsonObject,
  MOST_FRAME,
  MOUNT_PATH,
  type MountRequest,
  readFrame,
  VERSION_HEADER,
} from '../volumes/protocol.ts';

export interface OperatorClientOptions {
  /** `https://HOST:PORT`. */
  url: string;
  /** The mounted ConfigMap `coffer-serving-ca`: whom to trust, and the name to check the server's certificate for. */
  trustDirectory: string;
}

export type Mounting = { version: string; unchanged: true } | (Entries & { unchanged?: false; wipe(): void });

/** Milliseconds; kubelet waits two minutes for a mount. */
const TIMEOUT = 20_000;
const MOST_REFUSAL = 16 * 1024;

/** Asks the operator, over connections that are kept. What it trusts is read again when it changes. */
export class OperatorClient {
  readonly #url: URL;
  readonly #trustDirectory: string;
  #trust: { ca: string; agent: Agent } | undefined;

  constructor({ url, trustDirectory }: OperatorClientOptions) {
    this.#url = new URL(MOUNT_PATH, url);
    this.#trustDirectory = trustDirectory;
  }

  /**
   * The entries that the pod of a token may read, or that a version is what there is. Throws CofferError: what the operator refuses
   * with, `NODE_TRUST` before the operator has published its authority, `NODE_OPERATOR_UNREACHABLE`, `VOLUME_FRAME`.
   */
  async mount(token: string, wanted: MountRequest, signal: AbortSignal): Promise<Mounting> {
    const agent = await this.#agent();
    try {
      return await this.#ask(agent, token, wanted, signal);
    } catch (error) {
      if (error instanceof CofferError || !(error instanceof Error)) throw error;
      const what = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
      throw new CofferError(
        'NODE_OPERATOR_UNREACHABLE',
        `The operator does not answer at ${this.#url.host} (${what}).`,
        {
          advice:
            'Volumes that are mounted stay; new ones wait. See whether the operator runs and leads, and what it logs.',
          loop: 'retry',
          cause: error,
        },
      );
    }
  }

  close(): void {
    this.#trust?.agent.destroy();
  }

  async #ask(agent: Agent, token: string, wanted: MountRequest, signal: AbortSignal): Promise<Mounting> {
    const asking = request(this.#url, {
      agent,
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]),
    });
    asking.end(JSON.stringify(wanted));
    const [response] = (await once(asking, 'response')) as [IncomingMessage];
    if (response.statusCode === 204) {
      response.resume();
      return { version: String(response.headers[VERSION_HEADER] ?? ''), unchanged: true };
    }
    if (response.statusCode !== 200) throw refusalIn(await bytesOf(response, MOST_REFUSAL), response.statusCode);
    const frame = await bytesOf(response, MOST_FRAME);
    try {
      return { ...readFrame(frame), wipe: () => frame.fill(0) };
    } catch (error) {
      frame.fill(0);
      throw error;
    }
  }

  async #agent(): Promise<Agent> {
    const ca = await readIfThere(join(this.#trustDirectory, 'ca.crt'));
    if (ca === '')
      throw new CofferError('NODE_TRUST', 'The operator has not said yet whom to trust for it.', {
        advice:
          'See whether the operator runs: at its start it writes the ConfigMap coffer-serving-ca, which the node plugin mounts.',
        data: { path: this.#trustDirectory },
        loop: 'retry',
      });
    if (this.#trust?.ca === ca) return this.#trust.agent;
    const serverName = (await readIfThere(join(this.#trustDirectory, 'serverName'))).trim() || this.#url.hostname;
    const former = this.#trust?.agent;
    const agent = new Agent({
      keepAlive: true,
      ca,
      servername: serverName,
      minVersion: 'TLSv1.3',
      maxSockets: 8,
    });
    this.#trust = { ca, agent };
    // Requests that are under way fail, and are tried again with the new trust.
    former?.destroy();
    return agent;
  }
}

/** The whole body; its chunks are wiped. Throws CofferError `VOLUME_FRAME` above so many bytes. */
async function bytesOf(response: IncomingMessage, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > most)
        throw new CofferError('VOLUME_FRAME', `The operator's answer is larger than ${most} bytes.`, {
          advice: 'Make the secret smaller.',
        });
    }
    // Memory of its own: what `concat` takes from the pool stays in reach of others.
    const whole = Buffer.alloc(length);
    let at = 0;
    for (const chunk of chunks) at += chunk.copy(whole, at);
    return whole;
  } finally {
    for (const chunk of chunks) chunk.fill(0);
  }
}

/** Whatever else the answer holds is not repeated: it may come from anybody on the way. */
function refusalIn(body: Buffer, status: number | undefined): CofferError {
  const { code, message, advice } = jsonObject(body) ?? {};
  if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,60}$/.test(code) && typeof message === 'string')
    return new CofferError(code, message, { advice: typeof advice === 'string' ? advice : '' });
  return new CofferError('NODE_OPERATOR_UNREACHABLE', `What answers in the operator's place says only ${status}.`, {
    advice: 'See what stands between the node plugin and the operator.',
    loop: 'retry',
  });
}
