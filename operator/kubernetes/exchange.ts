import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { noAnswer } from './kubernetes-error.ts';

export interface HttpRequest {
  origin: string;
  path: string;
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  headers: Record<string, string>;
  body?: Buffer;
  /** Called immediately before the first byte is sent; what it throws is thrown here, and nothing is sent. */
  guard?: (() => void) | undefined;
  signal?: AbortSignal | undefined;
}

export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** Milliseconds for one exchange, from the wait for a connection to the last byte. */
const TIME_LIMIT = 60_000;
/** Milliseconds without a byte. */
const SILENCE = 30_000;
/** Bytes. Lists are asked for in pages, so only a page of very large objects comes near. */
const LARGEST_ANSWER = 64 * 1024 * 1024;

/** Sends a request and reads its whole answer. Throws what the connection, the time limit, the signal or the guard says. */
export async function exchange(dispatcher: Dispatcher, request: HttpRequest): Promise<HttpAnswer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const ending = new Ending(request.signal, TIME_LIMIT);
  try {
    const { status, headers } = await open(dispatcher, request, ending, SILENCE, (chunk) => {
      size += chunk.length;
      if (size > LARGEST_ANSWER) throw noAnswer();
      chunks.push(chunk);
    });
    const [only] = chunks;
    return { status, headers, body: chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks) };
  } finally {
    ending.done();
  }
}

/**
 * Reads an answer that goes on, a chunk at a time. Resolves when the server ends it; throws when nothing came for `silence`
 * milliseconds. Of an answer that is none (`status` other than 200) the body is gathered instead.
 */
export async function stream(
  dispatcher: Dispatcher,
  request: HttpRequest,
  silence: number,
  listener: { opened(): void; data(chunk: Buffer): void },
): Promise<HttpAnswer> {
  const refusal: Buffer[] = [];
  let size = 0;
  const ending = new Ending(request.signal, silence);
  try {
    const { status, headers } = await open(
      dispatcher,
      request,
      ending,
      0,
      (chunk, code) => {
        ending.postpone();
        if (code === 200) return listener.data(chunk);
        size += chunk.length;
        if (size > LARGEST_ANSWER) throw noAnswer();
        refusal.push(chunk);
      },
      (code) => {
        if (code === 200) listener.opened();
      },
    );
    return { status, headers, body: Buffer.concat(refusal) };
  } finally {
    ending.done();
  }
}

/** The caller's signal and a time limit, as one, without what AbortSignal.any() keeps for each request. */
class Ending {
  readonly #signal: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout;
  readonly #onAbort = () => this.#end(this.#signal?.reason);
  #abort: ((reason: Error) => void) | undefined;
  #reason: Error | undefined;

  constructor(signal: AbortSignal | undefined, milliseconds: number) {
    this.#signal = signal;
    this.#timer = setTimeout(
      () => this.#end(Object.assign(new Error('time is over'), { code: 'ETIMEDOUT' })),
      milliseconds,
    );
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (signal?.aborted) this.#onAbort();
  }

  /** Who is to be told; throws if it is over already. */
  onEnd(abort: (reason: Error) => void): void {
    if (this.#reason !== undefined) throw this.#reason;
    this.#abort = abort;
  }

  postpone(): void {
    this.#timer.refresh();
  }

  done(): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#abort = undefined;
  }

  #end(reason: unknown): void {
    this.#reason ??= reason instanceof Error ? reason : new Error('aborted');
    this.#abort?.(this.#reason);
  }
}

async function open(
  dispatcher: Dispatcher,
  { guard, signal, body, ...request }: HttpRequest,
  ending: Ending,
  silence: number,
  onData: (chunk: Buffer, status: number) => void,
  onStatus: (status: number) => void = () => {},
): Promise<Omit<HttpAnswer, 'body'>> {
  const { promise, resolve, reject } = Promise.withResolvers<Omit<HttpAnswer, 'body'>>();
  const answer: Omit<HttpAnswer, 'body'> = { status: 0, headers: {} };
  // While it waits for a connection there is nothing to abort: what is over is dropped when its turn comes.
  ending.onEnd(reject);
  dispatcher.dispatch(
    { ...request, body: body ?? null, headersTimeout: SILENCE, bodyTimeout: silence },
    {
      onRequestStart(controller) {
        // What is thrown here fails the request and leaves the connection to others.
        ending.onEnd((reason) => controller.abort(reason));
        guard?.();
      },
      onResponseStart(_controller, status, headers) {
        // 1xx is no answer.
        if (status < 200) return;
        Object.assign(answer, { status, headers });
        onStatus(status);
      },
      onResponseData: (_controller, chunk) => onData(chunk, answer.status),
      onResponseEnd: () => resolve(answer),
      onResponseError: (_controller, error) => reject(error),
    },
  );
  return await promise;
}
