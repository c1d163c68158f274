import { join } from 'node:path';
import { ed25519PublicKey } from '../../core/crypto/ed25519.ts';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import { LONGEST_TIMER, milliseconds } from '../../core/duration.ts';
import { Bug, type CofferError } from '../../core/errors.ts';
import type { Repository } from '../../core/git/repository.ts';
import type { Proposal } from '../../core/rotation/proposal.ts';
import { SerialQueue } from '../../core/serial-queue.ts';
import type { KeyStore } from '../keys/key-store.ts';
import { withIdentity } from '../keys/with-identity.ts';
import type { Log } from '../process/log.ts';
import type { GitSourceConfig } from '../source/open-git-source.ts';
import { parseAddress } from '../source/remote/address.ts';
import { sourceFault } from '../source/remote/faults.ts';
import { transportTo } from '../source/remote/open-remote.ts';
import type { Transport } from '../source/remote/transport/transport.ts';
import type { Accepted, Source } from '../source/source.ts';
import { stateFault } from '../source/state-fault.ts';
import { type Changes, changesOf } from './changes.ts';
import { type PushFault, pushFault } from './faults.ts';
import { LocalTransport } from './local-transport.ts';
import type { NewObjects } from './new-objects.ts';
import { OwnBranch } from './own-branch.ts';
import { isOwnCommit } from './own-commit.ts';
import { Refusals } from './refusals.ts';
import { ServerBranch } from './server-branch.ts';
import { signedCommit } from './signed-commit.ts';
import { withNewObjects } from './with-new-objects.ts';

export interface Pushed {
  /** Object id of a commit that has it: on a branch of the operator's own, the newest one. */
  commit: string;
  /** Without `refs/heads/`. */
  branch: string;
  /** By this push; else it was there already, on a branch of the operator's own that waits to be merged. */
  isNew: boolean;
}

/** Puts what an operator proposes into the repository of a source, in commits that its identity signs. */
export interface Pusher {
  /**
   * 'nothing': the accepted commit has all of it, as far as it still fits. `message`: of the commit, subject and body.
   * Throws CofferError, all with loop `retry`: PUSH_WAITS (the branch has commits that this source did not accept, or nothing is
   * accepted yet), PUSH_RACE (somebody was first), PUSH_REJECTED (the server keeps its branch), PUSH_FORBIDDEN (the credentials may
   * not; all of these but the race are told again for a while before they are tried again), PUSH_NO_IDENTITY, PUSH_HELD,
   * PUSH_BRANCH_FOREIGN, SOURCE_…, SSH_…
   */
  push(proposal: Proposal, message: string, signal: AbortSignal): Promise<Pushed | 'nothing'>;
  close(): void;
}

export interface PusherOptions {
  /** With `push`. */
  git: GitSourceConfig;
  source: Source;
  /** Whose identity signs. */
  cluster: string;
  keys: Pick<KeyStore, 'readIdentity' | 'place'>;
  stateDirectory: string;
  now: () => Date;
  log: Pick<Log, 'info'>;
  /** Told when the repository has what the source has not seen: a look now, and the push goes on. */
  isBehind?: () => void;
  /** Throws unless this operator leads: git servers know of no lease. Absent: nobody else could lead. */
  mayWrite?: (() => void) | undefined;
}

const DEFAULT_BRANCH = 'main';
const DEFAULT_TIMEOUT = '60s';
/** Milliseconds in which a server must send something: one that unpacks, or runs its hooks, says so every 5 seconds at best. */
const IDLE = 60_000;

/** Touches neither network nor files. Throws `SOURCE_URL_INVALID`, `SOURCE_SETTINGS`, `SOURCE_PROXY_INVALID`. */
export function openPusher(options: PusherOptions): Pusher {
  const { url, path = '.', allowHttp = false } = options.git;
  const address = parseAddress(url, path, allowHttp);
  const transport =
    address.kind === 'local' ? new LocalTransport(address.text, IDLE) : transportTo(options.git, address, IDLE);
  return new GitPusher(options, address.text, transport);
}

/**
 * The order of a push: what is accepted → what of the proposal it lacks → what the branch is → the accepted commit? → a commit upon
 * it → sent, for exactly that. What trust refused is never built upon, and what others pushed is never replaced. Of a push to the
 * followed branch nothing is kept: killed anywhere, the next run looks at what the branch is.
 */
class GitPusher implements Pusher {
  readonly #options: PusherOptions;
  readonly #place: string;
  readonly #transport: Transport;
  /** Without `refs/heads/`; undefined: tags are followed. */
  readonly #followed: string | undefined;
  readonly #turns = new SerialQueue();
  readonly #refusals: Refusals;

  constructor(options: PusherOptions, place: string, transport: Transport) {
    this.#options = options;
    this.#place = place;
    this.#transport = transport;
    const { tag, branch = DEFAULT_BRANCH } = options.git;
    this.#followed = tag === undefined ? branch : undefined;
    this.#refusals = new Refusals(options.now);
  }

  push(proposal: Proposal, message: string, signal: AbortSignal): Promise<Pushed | 'nothing'> {
    return this.#turns.take(async () => {
      await sodiumReady();
      const state = await this.#options.source.accepted();
      if (state === undefined) throw this.#fault('PUSH_WAITS', { detail: 'nothing is accepted yet' });
      return this.#refusals.during(proposal, state.commit, () => this.#push(proposal, message, state, signal));
    });
  }

  async #push(proposal: Proposal, message: string, state: Accepted, signal: AbortSignal): Promise<Pushed | 'nothing'> {
    const { git, source, log } = this.#options;
    const timeout = AbortSignal.timeout(Math.min(milliseconds(git.timeout ?? DEFAULT_TIMEOUT), LONGEST_TIMER));
    const changes = await this.#changes(proposal, source.repository, await this.#treeOf(state), state, signal);
    if (changes === undefined) return 'nothing';
    this.#options.mayWrite?.();
    const name = git.push?.branch ?? this.#followed;
    if (name === undefined) throw new Bug('a source that follows tags, without a branch to push to');
    const branch = new ServerBranch(this.#transport, name, this.#place);
    try {
      const within = AbortSignal.any([signal, timeout]);
      const done =
        branch.branch === this.#followed
          ? await this.#pushToFollowed({ branch, state, changes, message, proposal }, within)
          : await this.#pushToOwn({ branch, state, changes, message, proposal }, within);
      if (done.isNew) log.info(`pushed ${proposal.id} to ${branch.branch}`, { source: source.id, commit: done.commit });
      return { ...done, branch: branch.branch };
    } catch (error) {
      signal.throwIfAborted();
      if (!timeout.aborted) throw stateFault(error, this.#options.stateDirectory);
      throw sourceFault('SOURCE_TIMEOUT', { address: this.#place, cause: error });
    }
  }

  close(): void {
    this.#transport.close();
  }

  #pushToFollowed({ branch, state, changes, message }: Push, signal: AbortSignal): Promise<Done> {
    return branch.update(async (found) => {
      if (found !== state.commit) {
        this.#options.isBehind?.();
        throw this.#fault('PUSH_WAITS', { branch: branch.branch });
      }
      const made = { tree: changes.tree, parent: state.commit, message, time: this.#time() };
      const to = changes.objects.add('commit', await this.#commit(made));
      await this.#approve(changes.objects, to, signal);
      return { to, pack: changes.objects.pack(), result: { commit: to, isNew: true } };
    }, signal);
  }

  async #pushToOwn({ branch, state, changes, message, proposal }: Push, signal: AbortSignal): Promise<Done> {
    const { source, stateDirectory } = this.#options;
    const { repository } = source;
    const own = new OwnBranch({
      ...{ branch: branch.branch, folder: join(stateDirectory, 'push', source.id), repository },
      changesOf: (other, seen, tree) => this.#changes(other, seen, tree, state, signal),
      commitOf: (commit) => this.#commit(commit),
      isOwn: (tip) => this.#isOwn(branch.branch, tip, signal),
    });
    const wanted = { proposal, commit: state.commit, tree: await this.#treeOf(state), changes, message };
    return branch.update<Done>(async (found) => {
      const next = await own.next({ ...wanted, time: this.#time() }, found);
      if (next.kind === 'foreign') {
        const detail = found === undefined ? {} : { detail: found };
        throw this.#fault('PUSH_BRANCH_FOREIGN', { branch: branch.branch, ...detail });
      }
      const { commit } = next;
      if (next.kind === 'there') return { result: { commit, isNew: false } };
      await this.#approve(next.objects, commit, signal);
      return { to: commit, pack: next.objects.pack(), result: { commit, isNew: true } };
    }, signal);
  }

  /** What this operator would itself refuse would hold up the branch for everybody. */
  async #approve(objects: NewObjects, commit: string, signal: AbortSignal): Promise<void> {
    const { source } = this.#options;
    const cause = await source.refusalOf(withNewObjects(source.repository, objects), commit, signal);
    if (cause !== undefined) throw pushFault('PUSH_UNTRUSTED', { place: this.#place, detail: cause.message, cause });
  }

  async #isOwn(branch: string, tip: string, signal: AbortSignal): Promise<boolean> {
    const { git, source, stateDirectory, keys, now } = this.#options;
    const publicKey = await withIdentity(keys, ed25519PublicKey);
    if (publicKey === undefined) throw this.#fault('PUSH_NO_IDENTITY', {});
    const folder = join(stateDirectory, 'push', source.id, 'found');
    return isOwnCommit({ git, branch, tip, publicKey, folder, now: now() }, signal);
  }

  /** Of the commit itself: where a state holds paths back, its own tree is one that no server has. */
  async #treeOf({ commit }: Accepted): Promise<string> {
    return (await this.#options.source.repository.readCommit(commit)).tree;
  }

  #changes(
    proposal: Proposal,
    repository: Repository,
    tree: string,
    { held }: Accepted,
    signal: AbortSignal,
  ): Promise<Changes | undefined> {
    const paths = new Set(held.map(({ path }) => path));
    const under = this.#options.source.path;
    return changesOf(proposal, { repository, tree, under, held: paths, place: this.#place, signal });
  }

  #commit(commit: { tree: string; parent: string; message: string; time: number }): Promise<Buffer> {
    const { cluster, keys } = this.#options;
    return signedCommit(commit, { cluster, keys, place: this.#place });
  }

  #time(): number {
    return Math.floor(this.#options.now().getTime() / 1000);
  }

  #fault(fault: PushFault, details: { branch?: string; detail?: string }): CofferError {
    return pushFault(fault, { place: this.#place, ...details });
  }
}

type Done = Omit<Pushed, 'branch'>;

interface Push {
  branch: ServerBranch;
  state: Accepted;
  changes: Changes;
  message: string;
  proposal: Proposal;
}
