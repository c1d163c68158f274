import { createHash } from 'node:crypto';
import type { AuditLog } from '../../../core/audit/log.ts';
import { CofferError } from '../../../core/errors.ts';
import { type Proposal, proposalText } from '../../../core/rotation/proposal.ts';
import type { Log } from '../../process/log.ts';
import type { Pusher } from '../../push/pusher.ts';
import type { Asked } from '../../requests/asked.ts';
import type { Proposals } from '../proposals.ts';
import type { KeyMemories } from './memory.ts';
import { isEmpty } from './proposal-of.ts';

export interface HandOverOptions {
  id: string;
  cluster: string;
  proposals: Proposals;
  memories: KeyMemories;
  /** By id of the source. */
  pushers: ReadonlyMap<string, Pusher>;
  audit: Pick<AuditLog, 'append'>;
  log: Pick<Log, 'info'>;
  /** Told when a source has what it has not looked at yet. */
  wake?: ((source: string) => void) | undefined;
}

/** Publishes what is to be changed, and pushes it where this operator may. */
export class HandOver {
  readonly #options: HandOverOptions;
  /** Source → what was pushed upon which commit last: a branch that waits for people is not pushed again for it. */
  readonly #pushed = new Map<string, string>();

  constructor(options: HandOverOptions) {
    this.#options = options;
  }

  /**
   * @param made the id of the key that is new in it
   * @returns what stood in the way of a push: it is published all the same; or that nothing can be signed, and so neither
   * @throws CofferError what publishing throws, AUDIT_*
   */
  async give(
    proposal: Proposal,
    asked: readonly Asked[],
    made: string | undefined,
    signal: AbortSignal,
  ): Promise<CofferError[]> {
    const { id, proposals } = this.#options;
    if (isEmpty(proposal)) {
      await proposals.withdraw(id);
      return [];
    }
    const unsigned = await this.#publish(proposal);
    if (unsigned !== undefined) return [unsigned];
    if (made !== undefined) await this.#tell(made);
    const troubles: CofferError[] = [];
    const digest = createHash('sha256').update(proposalText(proposal)).digest('hex');
    for (const { source, state } of asked) {
      const pusher = this.#options.pushers.get(source.id);
      const now = `${digest} ${state.commit}`;
      if (pusher === undefined || this.#pushed.get(source.id) === now) continue;
      try {
        await this.#push(pusher, proposal, source.id, signal);
        this.#pushed.set(source.id, now);
      } catch (error) {
        if (!(error instanceof CofferError)) throw error;
        troubles.push(error.at({ source: source.id }));
      }
    }
    return troubles;
  }

  /** PROPOSAL_NO_IDENTITY is given back: a person ends that, and the rest of a look does not wait for them. */
  async #publish(proposal: Proposal): Promise<CofferError | undefined> {
    try {
      await this.#options.proposals.publish(proposal);
      return undefined;
    } catch (error) {
      if (error instanceof CofferError && error.code === 'PROPOSAL_NO_IDENTITY') return error;
      throw error;
    }
  }

  async #push(pusher: Pusher, proposal: Proposal, source: string, signal: AbortSignal): Promise<void> {
    const { id, cluster, audit } = this.#options;
    const pushed = await pusher.push(proposal, messageOf(proposal), signal);
    if (pushed === 'nothing' || !pushed.isNew) return;
    const { commit, branch } = pushed;
    await audit.append([
      { event: 'rotation.step', step: 'pushed', outcome: 'done', cluster, source, proposal: id, branch, commit },
    ]);
    this.#options.wake?.(source);
  }

  /** Once for each key, also when the process ends here and begins again. */
  async #tell(kid: string): Promise<void> {
    const { id, cluster, memories, audit, log } = this.#options;
    const memory = await memories.read();
    if (memory.pending?.kid !== kid || memory.pending.isTold) return;
    await audit.append([
      { event: 'key.changed', change: 'announced', cluster, recipient: cluster, keyIds: [kid], proposal: id },
    ]);
    log.info(`published a new key, to be collected: coffer recipients rewrap ${cluster}`, { cluster });
    await memories.write({ ...memory, pending: { ...memory.pending, isTold: true } });
  }
}

/** Of the commit. Names of recipients and ids of requests are safe to print. */
export function messageOf({ cluster, recipient, stanzas, fulfils }: Proposal): string {
  const subject =
    recipient === undefined
      ? stanzas.size > 0
        ? `Seal to the newest key of ${cluster}`
        : `Remove fulfilled requests of ${cluster}`
      : `Rotate the key of ${cluster}`;
  return `${[subject, ...(fulfils.length === 0 ? [] : ['', ...fulfils.map((id) => `Fulfils: ${id}`)])].join('\n')}\n`;
}
