import type { HttpAnswer } from './exchange.ts';
import { type Asked, isAbsent, refusalOf } from './refusal.ts';
import { RESOURCES, type Resource } from './resource.ts';
import type { Transport, TransportRequest } from './transport.ts';

export interface CallsOptions {
  /** Called immediately before every write is sent; throws when this process no longer leads. */
  fence?: () => void;
  /** Each answer, for metrics: `status` is undefined where there was none. */
  answered?: (verb: Asked['verb'], resource: Resource, status: number | undefined) => void;
}

export interface Call extends Asked {
  method: TransportRequest['method'];
  path: string;
  body?: object | Buffer | undefined;
  contentType?: string;
  accept?: string;
  idempotent: boolean;
  signal?: AbortSignal | undefined;
}

export const JSON_TYPE = 'application/json';

/** Written by whoever does not lead: the lease itself, the label of its own pod, and questions that are asked by POST and change nothing. */
const UNFENCED: ReadonlySet<string> = new Set<string>([
  RESOURCES.leases.plural,
  RESOURCES.pods.plural,
  RESOURCES.tokenReviews.plural,
  RESOURCES.subjectAccessReviews.plural,
]);

/** What is asked of the API server, one call at a time: fenced, counted, and with refusals as errors. */
export class Calls {
  readonly #transport: Transport;
  readonly #options: CallsOptions;

  constructor(transport: Transport, options: CallsOptions) {
    this.#transport = transport;
    this.#options = options;
  }

  /** The body of the answer. Throws KubernetesError. */
  async call(call: Call): Promise<Buffer> {
    const answer = await this.#send(call);
    if (isSuccess(answer)) return answer.body;
    throw refusalOf(call, answer);
  }

  /** The same; `undefined` where the object is not there. */
  async unlessAbsent(call: Call): Promise<Buffer | undefined> {
    const answer = await this.#send(call);
    if (isAbsent(call, answer)) return undefined;
    if (isSuccess(answer)) return answer.body;
    throw refusalOf(call, answer);
  }

  /** An answer that goes on, a chunk at a time. Resolves when the server ends it. */
  async follow(
    { path, headers, signal, ...asked }: Asked & Pick<TransportRequest, 'path' | 'headers' | 'signal'>,
    silence: number,
    listener: { opened(): void; data(chunk: Buffer): void },
  ): Promise<void> {
    const request: TransportRequest = { method: 'GET', path, headers, signal, idempotent: true };
    const answer = await this.#counted(asked, () => this.#transport.follow(request, silence, listener));
    if (!isSuccess(answer)) throw refusalOf(asked, answer);
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  async #send(call: Call): Promise<HttpAnswer> {
    const { method, path, body, accept = JSON_TYPE, contentType = JSON_TYPE, idempotent, signal } = call;
    const { plural } = call.resource;
    const isFenced = method !== 'GET' && !UNFENCED.has(plural);
    // Who waits for the answers to thirty writes would lose the lease meanwhile.
    const isUrgent = plural === RESOURCES.leases.plural;
    return this.#counted(call, () =>
      this.#transport.send({
        ...{ method, path, idempotent, isUrgent, signal },
        guard: isFenced ? this.#options.fence : undefined,
        headers: { accept, ...(body === undefined ? {} : { 'content-type': contentType }) },
        ...(body === undefined ? {} : { body: body instanceof Buffer ? body : Buffer.from(JSON.stringify(body)) }),
      }),
    );
  }

  async #counted({ verb, resource }: Asked, send: () => Promise<HttpAnswer>): Promise<HttpAnswer> {
    let status: number | undefined;
    try {
      const answer = await send();
      status = answer.status;
      return answer;
    } finally {
      this.#options.answered?.(verb, resource, status);
    }
  }
}

function isSuccess({ status }: HttpAnswer): boolean {
  return status >= 200 && status < 300;
}
