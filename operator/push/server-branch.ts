import { Bug, CofferError } from '../../core/errors.ts';
import type { Transport } from '../source/remote/transport/transport.ts';
import { pushFault } from './faults.ts';
import { NO_COMMIT, ReceivePack } from './receive-pack.ts';

/** What a server says when somebody may read and not write; over ssh a forge only ends its program. */
const FORBIDDEN = new Set(['SOURCE_UNAUTHORIZED', 'SOURCE_MISSING', 'SSH_KEY_REFUSED']);

/** A branch as a server has it. */
export class ServerBranch {
  readonly #transport: Transport;
  readonly #place: string;
  readonly branch: string;

  /** `place`: of the source, for errors. */
  constructor(transport: Transport, branch: string, place: string) {
    this.#transport = transport;
    this.branch = branch;
    this.#place = place;
  }

  /**
   * Asks what the branch is (`undefined`: there is none), lets `work` say what it shall be, and puts that there if nobody was faster.
   * Throws PUSH_FORBIDDEN, PUSH_RACE, PUSH_REJECTED, `SOURCE_…`, `SSH_…`, and what `work` throws.
   */
  async update<Result>(
    work: (commit: string | undefined) => Promise<{ to: string; pack: Buffer; result: Result } | { result: Result }>,
    signal: AbortSignal,
  ): Promise<Result> {
    const found = await this.#look(signal);
    try {
      const next = await work(found.commit);
      if ('to' in next) await this.#put(found, next, signal);
      return next.result;
    } finally {
      found.end();
    }
  }

  async #put(found: ReceivePack, { to, pack }: { to: string; pack: Buffer }, signal: AbortSignal): Promise<void> {
    if (found.commit === to) throw new Bug('a push of what is there');
    const report = await found.send({ from: found.commit ?? NO_COMMIT, to, pack }, signal);
    if (report.isOk) return;
    // Servers word it in many ways that the branch is another by now: it is looked at instead.
    const now = await this.#look(signal);
    now.end();
    const isSame = now.commit === found.commit;
    const { branch } = this;
    throw pushFault(isSame ? 'PUSH_REJECTED' : 'PUSH_RACE', { place: this.#place, branch, detail: report.reason });
  }

  async #look(signal: AbortSignal): Promise<ReceivePack> {
    try {
      return await ReceivePack.open(this.#transport, `refs/heads/${this.branch}`, this.#place, signal);
    } catch (cause) {
      if (!(cause instanceof CofferError) || !FORBIDDEN.has(cause.code)) throw cause;
      throw pushFault('PUSH_FORBIDDEN', { place: this.#place, detail: cause.message, cause });
    }
  }
}
