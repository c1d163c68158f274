import type { AuditLog } from '../../../core/audit/log.ts';
import { CofferError } from '../../../core/errors.ts';
import { readIfThere } from '../../../core/files/read-if-there.ts';
import { identityOf } from '../../../core/keys/endorsement.ts';
import type { SecretKeys } from '../../../core/keys/key-file.ts';
import { type Pins, readPinsFile } from '../../../core/keys/pins.ts';
import { activeKey, type Recipient, type RecipientKey } from '../../../core/keys/recipient.ts';
import { isRotated } from '../../../core/requests/fulfilled.ts';
import type { Proposal } from '../../../core/rotation/proposal.ts';
import { proposalId } from '../../../core/rotation/proposal-id.ts';
import { BackgroundChore } from '../../chores/background-chore.ts';
import type { KeyStore } from '../../keys/key-store.ts';
import { OwnMark } from '../../keys/own-mark.ts';
import type { KubeClient } from '../../kubernetes/client.ts';
import type { Log } from '../../process/log.ts';
import type { Pusher } from '../../push/pusher.ts';
import { type Asked, acceptedStates, askedOf } from '../../requests/asked.ts';
import type { Source } from '../../source/source.ts';
import type { OwnKeyStatus, Status } from '../../status/status.ts';
import type { HandOver } from '../hand-over.ts';
import { Proposals } from '../proposals.ts';
import { Archive } from './archive.ts';
import { KeyMemories, type KeyMemory } from './memory.ts';
import { endorsed, makeKey, noIdentity, reviewed } from './new-key.ts';
import { ownKeyStatus } from './own-key-status.ts';
import { ownRecipient, refuseGoneBack } from './own-recipient.ts';
import { proposalOf } from './proposal-of.ts';
import { heldRequests, type Refused, refusedBy, untold } from './refused-requests.ts';
import { Retirement } from './retirement.ts';
import { type Rewrapped, rewrapped } from './rewrap.ts';
import { rewrapHandOver } from './rewrap-hand-over.ts';
import { StanzaIndexes } from './stanza-index.ts';
import { listsTheSame, wantedRecipient } from './wanted-recipient.ts';
import { watched } from './watch-retired.ts';
import { clockTrouble, nextLook, noActiveKey, strayRequests, type Wish, wishFor } from './wish.ts';

export interface KeyRotationOptions {
  cluster: string;
  stateDirectory: string;
  /** The operator's own. */
  pinsFile: string;
  store: KeyStore;
  sources: readonly Source[];
  /** By id of the source: of those that the operator may push to. */
  pushers: ReadonlyMap<string, Pusher>;
  audit: Pick<AuditLog, 'append'>;
  client?: KubeClient | undefined;
  log: Pick<Log, 'info' | 'thrown'>;
  /** How long a key that is retired stays at least, in milliseconds. */
  grace: number;
  /** What beside the accepted states needs a key of this cluster, for people. */
  elsewhere: (kid: string) => Promise<readonly string[]>;
  /** Has a source looked at soon. */
  wake?: (source: string) => void;
  now?: () => Date;
  /** Milliseconds by a clock that nobody sets; absent: since the process started. */
  clock?: () => number;
}

/** What one look goes by. */
interface Situation {
  asked: readonly Asked[];
  own: Recipient;
  keys: SecretKeys;
  identitySeed: Buffer | undefined;
  pins: Pins;
  now: Date;
  signal: AbortSignal;
}

interface Outcome {
  /** Wishes that it does not follow. */
  refused: readonly Refused[];
  /** Milliseconds since 1970: until then there is nothing to do while nothing changes. */
  until: number;
  /** What stood in the way of publishing or of a push. */
  notHandedOver: readonly CofferError[];
}

interface NewKeys {
  made: RecipientKey | undefined;
  given: readonly RecipientKey[];
}

const NO_KEYS: NewKeys = { made: undefined, given: [] };

/**
 * Sees to it that this cluster gets a new key when a committed request asks for one or `rotation.every` has passed, and that what is
 * sealed to its older keys is sealed to the newest. All of it is one proposal (core/rotation/proposal.ts), a function of the accepted
 * states, the store and little memory: whoever is killed at any step makes the same again, or goes on.
 */
export class KeyRotation extends BackgroundChore {
  readonly #options: KeyRotationOptions;
  readonly #now: () => Date;
  readonly #memories: KeyMemories;
  readonly #handOver: HandOver;
  readonly #retirement: Retirement;
  readonly #indexes = new StanzaIndexes();
  /** The states, requests and pins that were looked at last, until when they have nothing new to say, and what stands in the way in them. */
  #seen: { text: string; until: number; troubles: readonly CofferError[] } | undefined;
  /** As of the last look that could tell. */
  #keys: readonly OwnKeyStatus[] | undefined;

  constructor(options: KeyRotationOptions) {
    super();
    this.#options = options;
    this.#now = options.now ?? (() => new Date());
    const { stateDirectory, client, store, log } = options;
    const mark = new OwnMark({ store, told: (error) => log.thrown(error) });
    this.#memories = new KeyMemories(stateDirectory, client, mark);
    const parts = { id: this.#id, memories: this.#memories, proposals: new Proposals(options) };
    this.#handOver = rewrapHandOver({ ...options, ...parts });
    const archive = new Archive(options.stateDirectory, options.client);
    const files = (source: string, kid: string) => this.#indexes.with(source, new Set([kid])).map(({ path }) => path);
    this.#retirement = new Retirement({ ...options, archive, files });
  }

  get #id(): string {
    return proposalId('rewrap', this.#options.cluster);
  }

  status(): Partial<Status> {
    return this.#keys === undefined ? {} : { keys: this.#keys };
  }

  protected override async work(signal: AbortSignal): Promise<readonly CofferError[]> {
    const troubles: CofferError[] = [];
    try {
      return await this.#look(troubles, signal);
    } catch (error) {
      this.#seen = undefined;
      if (!(error instanceof CofferError)) throw error;
      return [...troubles, error];
    }
  }

  /** Adds to `troubles` what it finds before it throws. */
  async #look(troubles: CofferError[], signal: AbortSignal): Promise<readonly CofferError[]> {
    const { sources, cluster, pinsFile, store } = this.#options;
    const states = await acceptedStates(sources);
    // A key that is made must be told to all keyrings, and an unknown one may list another.
    if (states === undefined) return [];
    const held = heldRequests(sources, cluster);
    const parts = [...states.map(({ state }) => `${state.commit} ${state.tree}`), ...held.map(({ id }) => id)];
    const seen = [...parts, await readIfThere(pinsFile)].join('\n');
    const now = this.#now();
    if (seen === this.#seen?.text && now.getTime() < this.#seen.until)
      return [...this.#seen.troubles, ...(await this.#handOver.again(signal))];
    const asked = await Promise.all(states.map(({ source, state }) => askedOf(source, state, cluster)));
    troubles.push(...asked.flatMap(({ problems }) => problems));
    const keys = await store.read();
    const identitySeed = await store.readIdentity();
    try {
      const pins = await readPinsFile(pinsFile);
      const identity = identitySeed && identityOf(identitySeed);
      const own = ownRecipient(asked, cluster, { identity, held: new Set(keys.keys.keys()), pins });
      const situation = { asked, keys, identitySeed, pins, now, signal };
      // Keys may come and go without a commit.
      const outcome: Outcome =
        own === undefined
          ? { refused: [], until: 0, notHandedOver: [] }
          : await this.#follow({ ...situation, own }, troubles);
      await this.#tellRefused([...held, ...outcome.refused]);
      // What was handed over is tried again by itself: that needs no look at the states.
      const isSeen = troubles.every(({ loop }) => loop !== 'retry');
      this.#seen = isSeen ? { text: seen, until: outcome.until, troubles } : undefined;
      return [...troubles, ...outcome.notHandedOver];
    } finally {
      keys.wipe();
      identitySeed?.fill(0);
    }
  }

  async #follow(situation: Situation, troubles: CofferError[]): Promise<Outcome> {
    const { asked, own, now } = situation;
    const requests = asked.flatMap(({ rotations }) => rotations);
    const memory = await this.#remembered(situation);
    const abandoned = new Set(memory.abandoned.map(({ kid }) => kid));
    const wish = wishFor(own, requests, now, abandoned);
    troubles.push(...[clockTrouble(own, now), noActiveKey(own, wish)].filter((trouble) => trouble !== undefined));
    // A new key is the way out of it, too.
    if (wish === undefined) refuseGoneBack(own, new Set(Object.keys(memory.retired)));
    const { made, given } = wish === undefined ? NO_KEYS : await this.#successor(situation, wish, memory);
    const wanted = wantedRecipient(own, { made, given, abandoned });
    await this.#updateIndexes(situation, wanted);
    const retired = await this.#retirement.fulfil({ ...situation, memory });
    const fulfilled = requests.filter((request) => isRotated(request, wanted)).map(({ id }) => id);
    const held = new Set(situation.keys.keys.keys()).difference(retired.gone);
    this.#keys = ownKeyStatus({ own, made, held, counts: this.#indexes.counts(), waiting: retired.waiting });
    const proposal = await this.#proposal(situation, wanted, [...fulfilled, ...retired.done]);
    const refusals = [...strayRequests(own, requests, now), ...retired.refusals];
    troubles.push(...refusals);
    const shares = asked.map(({ source, state }) => ({ source: source.id, commit: state.commit, proposal }));
    const notHandedOver = await this.#handOver.give(proposal, shares, situation.signal);
    const refused = refusals.map((error) => refusedBy(error, this.#options.cluster, asked));
    return { refused, until: Math.min(retired.until, nextLook(own, requests, now)), notHandedOver };
  }

  async #remembered({ asked, own, keys, now }: Situation): Promise<KeyMemory> {
    const { cluster } = this.#options;
    const before = await this.#memories.read();
    const held = new Set(keys.keys.keys());
    const listed = asked.flatMap(({ keyring }) => keyring.recipients.get(cluster) ?? []);
    const memory = watched(before, listed, held, now);
    const after = reviewed(memory, own, held);
    // Kept: that its former key is revoked one day, as a retired one, says nothing of a key that was listed before that.
    const isArrived = memory.pending !== undefined && own.keys.some(({ kid }) => kid === memory.pending?.kid);
    const kept = isArrived && after.abandoned.length === memory.abandoned.length ? after : memory;
    if (kept !== before) await this.#memories.write(kept);
    return after;
  }

  async #tellRefused(refused: readonly Refused[]): Promise<void> {
    const before = await this.#memories.read();
    const { records, memory } = untold(refused, before);
    if (records.length > 0) await this.#options.audit.append(records);
    if (memory !== before) await this.#memories.write(memory);
  }

  /** The key that is to follow the newest one: that which was made for it before, else a new one; and those that were given up. */
  async #successor({ own, identitySeed, now }: Situation, wish: Wish, before: KeyMemory): Promise<NewKeys> {
    const { cluster, store, log } = this.#options;
    if (identitySeed === undefined) throw noIdentity(own, store.place);
    let memory = before;
    if (memory.pending === undefined) {
      memory = await makeKey(own, wish, memory, now, { ...this.#options, memories: this.#memories });
      log.info(`made a new key: ${memory.pending?.kid}`, { cluster });
    }
    const stored = await store.read();
    try {
      const [made] = endorsed(memory.pending === undefined ? [] : [memory.pending], cluster, stored, identitySeed);
      return { made, given: endorsed(memory.abandoned, cluster, stored, identitySeed) };
    } finally {
      stored.wipe();
    }
  }

  async #updateIndexes({ asked, keys, signal }: Situation, wanted: Recipient): Promise<void> {
    const isWished = asked.some(({ retirements }) => retirements.length > 0);
    // As long as there was only one key, nothing can be sealed to another.
    if (olderKeys(keys, wanted).size === 0 && !isWished) return;
    await this.#indexes.update(asked, signal);
  }

  async #proposal(situation: Situation, wanted: Recipient, fulfils: readonly string[]): Promise<Proposal> {
    const { asked, own, keys, signal } = situation;
    const { cluster, audit } = this.#options;
    const key = activeKey(wanted);
    const older = olderKeys(keys, wanted);
    const known = await this.#handOver.before();
    const parts: Rewrapped[] = [];
    for (const one of asked) {
      if (key === undefined || older.size === 0) continue;
      const target = { recipient: cluster, kid: key.kid, publicKey: key.publicKey };
      const files = this.#indexes.with(one.source.id, older);
      parts.push(await rewrapped(one, { cluster, key: target, keys, files, known, audit, signal }));
    }
    const listed = asked.flatMap(({ keyring }) => keyring.recipients.get(cluster) ?? []);
    const isListed = listed.every((recipient) => listsTheSame(recipient, wanted));
    return proposalOf({
      id: this.#id,
      cluster,
      commit: asked[0]?.state.commit ?? '',
      recipient: isListed ? undefined : { ...wanted, file: own.file },
      parts,
      fulfils: [...new Set(fulfils)],
    });
  }
}

/** Ids of keys in the store that are followed by another. */
function olderKeys({ keys }: SecretKeys, wanted: Recipient): Set<string> {
  const newest = activeKey(wanted)?.kid;
  return new Set([...keys.keys()].filter((kid) => kid !== newest));
}
