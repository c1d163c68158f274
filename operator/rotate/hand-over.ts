import { CofferError } from '../../core/errors.ts';
import { isEmpty, isSame, type Proposal } from '../../core/rotation/proposal.ts';
import type { Log } from '../process/log.ts';
import type { Pushed, Pusher } from '../push/pusher.ts';
import type { Proposals } from './proposals.ts';

/** What the repository of one source is to get. */
export interface Share {
  /** Its id. */
  source: string;
  /** Accepted when it was made. */
  commit: string;
  proposal: Proposal;
}

export interface HandOverOptions<Given extends Share> {
  /** Of the proposal. */
  id: string;
  proposals: Pick<Proposals, 'publish' | 'withdraw' | 'read' | 'placeOf'>;
  /** By id of the source. */
  pushers: ReadonlyMap<string, Pusher>;
  log: Pick<Log, 'info'>;
  /** Has a source looked at soon. */
  wake?: ((source: string) => void) | undefined;
  /** Of the commit, subject and body. */
  messageOf: (proposal: Proposal) => string;
  /** With which people take over what is published. */
  command: string;
  /**
   * Records that it is published, before it is: a kill in between leaves a step to do again, and none that the log lacks. `before`: what
   * was recorded before it. Throws AUDIT_*, FILE_SYSTEM, KUBERNETES_*.
   */
  publishing: (proposal: Proposal, shares: readonly Given[], before: Proposal | undefined) => Promise<void>;
  /** Records a commit of this push. Throws AUDIT_*. */
  pushed: (share: Given, to: Pushed) => Promise<void>;
  /** Milliseconds by a clock that nobody sets; absent: since the process started. */
  clock?: (() => number) | undefined;
}

/** So many tries may find somebody else's commit in the way before people are told. */
const PATIENCE = 3;
const IN_THE_WAY: ReadonlySet<string> = new Set(['PUSH_WAITS', 'PUSH_RACE']);
/** Milliseconds after which what is published is written again where somebody removed or changed it. */
const RENEWAL = 600_000;

/**
 * Brings what is to be changed to git: publishes it, so that people can take it over whatever becomes of a push, and pushes to each source
 * what is its own where this operator may. What waits for people is not pushed again until it, or the accepted commit, is another.
 */
export class HandOver<Given extends Share = Share> {
  readonly #options: HandOverOptions<Given>;
  readonly #clock: () => number;
  #given: { proposal: Proposal; shares: readonly Given[] } | undefined;
  /** What lies there, and until when that is believed. Of equal proposals one is kept, so that objects tell whether there is another. */
  #published: { proposal: Proposal | undefined; until: number } | undefined;
  /** What the log has as published, also where it could not be since. */
  #recorded: Proposal | undefined;
  /** Source → what was pushed last, and upon which commit. */
  readonly #pushed = new Map<string, { proposal: Proposal; commit: string }>();
  readonly #inTheWay = new Map<string, number>();
  /** That people were told to collect. */
  #toldOf: Proposal | undefined;

  constructor(options: HandOverOptions<Given>) {
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
  }

  /** What was handed over last, by this run or else an earlier one; undefined: nothing, or nobody can say that it was us. */
  async before(): Promise<Proposal | undefined> {
    return this.#given?.proposal ?? (await this.#options.proposals.read(this.#options.id));
  }

  /**
   * @param proposal all of it; one that is empty takes back what was published
   * @returns what stood in the way: of publishing, and so of all, or of a push
   * @throws CofferError AUDIT_*; the signal's reason
   */
  async give(proposal: Proposal, shares: readonly Given[], signal: AbortSignal): Promise<CofferError[]> {
    const before = await this.before();
    this.#published ??= { proposal: before, until: Number.NEGATIVE_INFINITY };
    this.#recorded ??= before;
    const all = before !== undefined && isSame(before, proposal) ? before : proposal;
    const kept = shares.map((share) => ({ ...share, proposal: share.proposal === proposal ? all : this.#kept(share) }));
    this.#given = { proposal: all, shares: kept };
    return await this.again(signal);
  }

  /** Tries again what was given last, as far as it is not done. Gives and throws the same. */
  async again(signal: AbortSignal): Promise<CofferError[]> {
    if (this.#given === undefined) return [];
    const { proposal, shares } = this.#given;
    const unpublished = await this.#publish(proposal, shares);
    if (unpublished !== undefined) return [unpublished];
    const troubles: CofferError[] = [];
    let isLeft = false;
    for (const share of shares) {
      if (isEmpty(share.proposal)) continue;
      const outcome = await this.#push(share, signal);
      if (outcome instanceof CofferError) troubles.push(outcome);
      isLeft ||= outcome === 'theirs' || outcome instanceof CofferError;
    }
    if (isLeft) this.#tell(proposal);
    return troubles;
  }

  #kept({ source, proposal }: Share): Proposal {
    const last = this.#given?.shares.find((share) => share.source === source);
    return last !== undefined && isSame(last.proposal, proposal) ? last.proposal : proposal;
  }

  async #publish(proposal: Proposal, shares: readonly Given[]): Promise<CofferError | undefined> {
    const { id, proposals } = this.#options;
    const now = this.#clock();
    if (this.#published?.proposal === proposal && now < this.#published.until) return undefined;
    try {
      if (isEmpty(proposal)) await proposals.withdraw(id);
      else await proposals.publish(proposal, () => this.#record(proposal, shares));
    } catch (error) {
      if (error instanceof CofferError && !error.code.startsWith('AUDIT_')) return error;
      throw error;
    }
    this.#recorded = proposal;
    this.#published = { proposal, until: now + RENEWAL };
    return undefined;
  }

  /** Once, however often publishing it fails. */
  async #record(proposal: Proposal, shares: readonly Given[]): Promise<void> {
    if (this.#recorded === proposal) return;
    await this.#options.publishing(proposal, shares, this.#recorded);
    this.#recorded = proposal;
  }

  /** 'later': somebody was first, and what they pushed is looked at before the next try. 'theirs': people take it over. */
  async #push(share: Given, signal: AbortSignal): Promise<'done' | 'later' | 'theirs' | CofferError> {
    const { pushers, messageOf, wake, pushed } = this.#options;
    const { source, commit, proposal } = share;
    const pusher = pushers.get(source);
    if (pusher === undefined) return 'theirs';
    const last = this.#pushed.get(source);
    if (last?.proposal === proposal && last.commit === commit) return 'done';
    try {
      const to = await pusher.push(proposal, messageOf(proposal), signal);
      this.#inTheWay.delete(source);
      this.#pushed.set(source, { proposal, commit });
      if (to === 'nothing' || !to.isNew) return 'done';
      await pushed(share, to);
      wake?.(source);
      return 'done';
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof CofferError) || error.code.startsWith('AUDIT_')) throw error;
      return this.#isForNow(source, error) ? 'later' : error.at({ source });
    }
  }

  /**
   * Whether looking at the source may end it. No oftener: where trust refuses what is in the way, looking again finds the same, and a look
   * without end asks the server each second.
   */
  #isForNow(source: string, { code }: CofferError): boolean {
    if (!IN_THE_WAY.has(code)) return false;
    const times = (this.#inTheWay.get(source) ?? 0) + 1;
    this.#inTheWay.set(source, times);
    if (times >= PATIENCE) return false;
    this.#options.wake?.(source);
    return true;
  }

  #tell(proposal: Proposal): void {
    const { id, proposals, messageOf, command, log } = this.#options;
    if (this.#toldOf === proposal) return;
    this.#toldOf = proposal;
    const [subject] = messageOf(proposal).split('\n');
    log.info(`to be collected: ${subject}: ${command} ${proposals.placeOf(id)}`, { cluster: proposal.cluster });
  }
}
