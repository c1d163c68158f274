import { PassThrough } from 'node:stream';
import type { ClientChannel } from 'ssh2';
import { remark, type SourceFault, sourceFault } from '../faults.ts';
import { type Patience, within } from './patience.ts';

/** What is kept of what the program there complains about. */
const COMPLAINT_LIMIT = 1024;
/** Of a shell that finds no such program, or may not run it (POSIX, "Exit Status for Commands"). */
const NOT_RUN = new Set([126, 127]);
/** Gitea ends a line on its output before it says on the other stream what is wrong: git never begins so. */
const LINE_ENDS = new Set([0x0a, 0x0d]);

/** A program that runs on the other side of an ssh connection, with its input and output. */
export class RemoteProgram {
  readonly #channel: ClientChannel;
  readonly #patience: Patience;
  /** A channel of ssh2 is no stream that can be read with a `for await`. */
  readonly #output = new PassThrough();
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #closed: Promise<void>;
  #exit: { code: number | null } | undefined;
  #complaint = '';
  #hasSpoken = false;

  constructor(channel: ClientChannel, patience: Patience) {
    this.#channel = channel;
    this.#patience = patience;
    this.#chunks = this.#output[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    channel.on('exit', (code: number | null) => {
      this.#exit = { code };
    });
    channel.stderr.on('data', (chunk: Buffer) => {
      const room = COMPLAINT_LIMIT - this.#complaint.length;
      if (room > 0) this.#complaint += chunk.toString('utf8', 0, room);
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#closed = promise;
    channel.once('close', resolve);
    channel.pipe(this.#output);
  }

  write(bytes: Uint8Array): void {
    this.#channel.write(bytes);
  }

  /** What the program prints from here on. Throws SourceFault where it ends otherwise than it should. */
  async *output(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const { done, value } = await within(this.#chunks.next(), this.#patience);
      if (done === true) break;
      this.#hasSpoken ||= value.some((byte) => !LINE_ENDS.has(byte));
      yield value;
    }
    await within(this.#closed, this.#patience);
    const fault = this.#faultOfExit();
    if (fault !== undefined) throw fault;
  }

  /** No more is written to it, and no more is read. */
  end(lastWords?: Uint8Array): void {
    if (lastWords !== undefined) this.#channel.write(lastWords);
    // What still comes is thrown away: unread, it would hold up the connection.
    this.#channel.unpipe(this.#output);
    this.#channel.resume();
    this.#channel.end();
    if (lastWords === undefined) this.#channel.close();
  }

  #faultOfExit(): SourceFault | undefined {
    const { address } = this.#patience;
    const { code } = this.#exit ?? {};
    if (code === 0) return undefined;
    if (this.#exit === undefined) return sourceFault('SOURCE_UNREACHABLE', { address, detail: 'the connection broke' });
    const detail = remark(this.#complaint) ?? (code === null ? 'the program was killed' : `exit ${code}`);
    const isThere = this.#hasSpoken || code === null || code === undefined || NOT_RUN.has(code);
    return sourceFault(isThere ? 'SOURCE_UNAVAILABLE' : 'SOURCE_MISSING', { address, detail });
  }
}
