import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { remark, sourceFault } from '../source/remote/faults.ts';
import { within } from '../source/remote/transport/patience.ts';
import { FLUSH } from '../source/remote/transport/pkt-line.ts';
import type { Exchange, Service, Transport } from '../source/remote/transport/transport.ts';
import { pushFault } from './faults.ts';

/** Of what the program complains about. */
const COMPLAINT_LIMIT = 1024;

/**
 * A repository on this machine, as its own git takes what is pushed: with its hooks, its settings and its locks, which a writer of
 * ours would pass by.
 */
export class LocalTransport implements Transport {
  readonly #directory: string;
  readonly #idle: number;

  /** `idle`: milliseconds in which something must come. */
  constructor(directory: string, idle: number) {
    this.#directory = directory;
    this.#idle = idle;
  }

  async open(service: Service, signal: AbortSignal): Promise<Exchange> {
    const address = this.#directory;
    const child = spawn('git', [service.slice('git-'.length), address], {
      // Nothing of this process: hooks of a repository are programs of others.
      env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/', LC_ALL: 'C' },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const closed = once(child, 'close').then(([code]): unknown => code);
    // An error of starting is told below; what comes later, by what is read.
    closed.catch(() => undefined);
    // Whoever hangs up first is told by how the program ends.
    child.stdin.on('error', () => undefined);
    let complaint = '';
    child.stderr.on('data', (chunk: Buffer) => {
      if (complaint.length < COMPLAINT_LIMIT) complaint += chunk.toString('utf8', 0, COMPLAINT_LIMIT);
    });
    try {
      await once(child, 'spawn');
    } catch (cause) {
      throw pushFault('PUSH_NO_GIT', { place: address, cause });
    }
    const chunks = child.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    const patience = { address, idle: this.#idle, signal };
    let isAsked = false;
    async function* output(): AsyncGenerator<Uint8Array> {
      for (;;) {
        const { done, value } = await within(chunks.next(), patience);
        if (done === true) break;
        yield value;
      }
      const code = await within(closed, patience);
      if (code !== 0) throw sourceFault('SOURCE_UNAVAILABLE', { address, detail: remark(complaint) ?? `exit ${code}` });
    }
    return {
      isStateless: false,
      advertisement: output,
      ask: async (request) => {
        isAsked = true;
        child.stdin.end(request);
        return output();
      },
      end: () => {
        if (!isAsked) child.stdin.end(FLUSH);
        // What was asked for and is not done is ended by git as a whole: its ref moves last.
        else if (child.exitCode === null) child.kill();
        child.stdout.resume();
      },
    };
  }

  close(): void {
    // Each exchange has a program of its own, which ends with it.
  }
}
