import type { AuditLog } from '../../../core/audit/log.ts';
import { sodiumReady } from '../../../core/crypto/sodium.ts';
import { CofferError } from '../../../core/errors.ts';
import { readIfThere } from '../../../core/files/read-if-there.ts';
import { identityOf } from '../../../core/keys/endorsement.ts';
import type { SecretKeys } from '../../../core/keys/key-file.ts';
import { readPinsFile } from '../../../core/keys/pins.ts';
import { activeKey, type Recipient, type RecipientKey } from '../../../core/keys/recipient.ts';
import { isRotated } from '../../../core/requests/fulfilled.ts';
import type { RotateRequest } from '../../../core/requests/request.ts';
import type { Proposal } from '../../../core/rotation/proposal.ts';
import { proposalId } from '../../../core/rotation/proposal-id.ts';
import type { KeyStore } from '../../keys/key-store.ts';
import type { KubeClient } from '../../kubernetes/client.ts';
import type { Log } from '../../process/log.ts';
import type { Pusher } from '../../push/pusher.ts';
import { type Asked, askedOf } from '../../requests/asked.ts';
import type { Source } from '../../source/source.ts';
import { Proposals } from '../proposals.ts';
import { HandOver } from './hand-over.ts';
import { KeyMemories, type KeyMemory } from './memory.ts';
import { endorsed, makeKey, noIdentity, reviewed } from './new-key.ts';
import { ownRecipient } from './own-recipient.ts';
import { proposalOf } from './proposal-of.ts';
import { type Rewrapped, rewrapped } from './rewrap.ts';
import { StanzaIndex } from './stanza-index.ts';
import { listsTheSame, wantedRecipient } from './wanted-recipient.ts';
import { clockTrouble, dueOf, strayRequests, type Wish, wishFor } from './wish.ts';

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
  log: Pick<Log, 'info'>;
  /** Has a source looked at soon. */
  wake?: (source: string) => void;
  now?: () => Date;
}

/** What one look goes by. */
interface Situation {
  asked: readonly Asked[];
  own: Recipient;
  keys: SecretKeys;
  identitySeed: Buffer | undefined;
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
 *
 * A look only begins the work, since a repository may be large and a server slow: nothing that is projected waits for it.
 */
export class KeyRotation {
  /** What stood in the way when the last work ended. */
  troubles: readonly CofferError[] = [];
  readonly #options: KeyRotationOptions;
  readonly #now: () => Date;
  readonly #memories: KeyMemories;
  readonly #proposals: Proposals;
  readonly #handOver: HandOver;
  readonly #indexes = new Map<string, StanzaIndex>();
  readonly #ending = new AbortController();
  /** The states, requests and pins that were looked at last, and until when they have nothing new to say. */
  #seen = { text: '', until: Number.POSITIVE_INFINITY };
  #work: Promise<void> | undefined;
  #isAgain = false;
  #mistake: unknown;

  constructor(options: KeyRotationOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => new Date());
    this.#memories = new KeyMemories(options.stateDirectory, options.client);
    this.#proposals = new Proposals(options.stateDirectory, options.client);
    this.#handOver = new HandOver({ ...options, id: this.#id, memories: this.#memories, proposals: this.#proposals });
  }

  get #id(): string {
    return proposalId('rewrap', this.#options.cluster);
  }

  /** Rejects with a mistake of ours that the work before made. */
  async look(): Promise<void> {
    const mistake = this.#mistake;
    this.#mistake = undefined;
    if (mistake !== undefined) throw mistake;
    this.#isAgain = true;
    this.#work ??= this.#run();
  }

  /** Resolves when the work that was begun has ended. */
  async settled(): Promise<void> {
    await this.#work;
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#work;
  }

  async #run(): Promise<void> {
    // Whoever began it goes on first.
    await Promise.resolve();
    while (this.#isAgain && !this.#ending.signal.aborted) {
      this.#isAgain = false;
      await this.#once();
    }
    this.#work = undefined;
  }

  async #once(): Promise<void> {
    const troubles: CofferError[] = [];
    try {
      await sodiumReady();
      await this.#look(troubles);
    } catch (error) {
      if (this.#ending.signal.aborted) return;
      this.#seen.text = '';
      if (error instanceof CofferError) troubles.push(error);
      else this.#mistake = error;
    }
    if (troubles.some(({ loop }) => loop === 'retry')) this.#seen.text = '';
    this.troubles = troubles;
  }

  async #look(troubles: CofferError[]): Promise<void> {
    const { sources, cluster, pinsFile, store } = this.#options;
    const states = (await Promise.all(sources.map((source) => source.accepted()))).filter(
      (state) => state !== undefined,
    );
    // A key that is made must be told to all keyrings, and an unknown one may list another.
    if (states.length < sources.length) return;
    const seen = [...states.map(({ commit, tree }) => `${commit} ${tree}`), await readIfThere(pinsFile)].join('\n');
    const now = this.#now();
    if (seen === this.#seen.text && now.getTime() < this.#seen.until) {
      troubles.push(...this.troubles);
      return;
    }
    const asked = await Promise.all(
      states.flatMap((state, index) => {
        const source = sources[index];
        return source === undefined ? [] : [askedOf(source, state, cluster)];
      }),
    );
    troubles.push(...asked.flatMap(({ problems }) => problems));
    const keys = await store.read();
    const identitySeed = await store.readIdentity();
    try {
      const identity = identitySeed && identityOf(identitySeed);
      const held = new Set(keys.keys.keys());
      const own = ownRecipient(asked, cluster, { identity, held, pins: await readPinsFile(pinsFile) });
      const until =
        own === undefined ? undefined : await this.#follow({ asked, own, keys, identitySeed }, now, troubles);
      this.#seen = { text: seen, until: until?.getTime() ?? Number.POSITIVE_INFINITY };
    } finally {
      keys.wipe();
      identitySeed?.fill(0);
    }
  }

  /** Returns when there is something to do though nothing changes; undefined: never. */
  async #follow(situation: Situation, now: Date, troubles: CofferError[]): Promise<Date | undefined> {
    const { asked, own, keys } = situation;
    const requests = asked.flatMap(({ rotations }) => rotations);
    const behind = clockTrouble(own, now);
    troubles.push(...strayRequests(own, requests), ...(behind === undefined ? [] : [behind]));
    const wish = wishFor(own, requests, now);
    const before = await this.#memories.read();
    const memory = reviewed(before, own, new Set(keys.keys.keys()), wish);
    const { made, given } = wish === undefined ? NO_KEYS : await this.#successor(situation, wish, memory, now);
    const wanted = wantedRecipient(own, requests, made, given);
    const proposal = await this.#proposal(situation, wanted, requests);
    troubles.push(...(await this.#handOver.give(proposal, asked, made?.kid, this.#ending.signal)));
    return wish === undefined ? dueOf(own) : undefined;
  }

  /** The key that is to follow the newest one: that which was made for it before, else a new one; and those that were given up. */
  async #successor({ own, identitySeed }: Situation, wish: Wish, before: KeyMemory, now: Date): Promise<NewKeys> {
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

  async #proposal(
    { asked, own, keys }: Situation,
    wanted: Recipient,
    requests: readonly RotateRequest[],
  ): Promise<Proposal> {
    const { cluster, audit } = this.#options;
    const key = activeKey(wanted);
    const known = await this.#proposals.read(this.#id);
    const parts: Rewrapped[] = [];
    for (const one of asked) {
      const older = new Set([...keys.keys.keys()].filter((kid) => kid !== key?.kid));
      if (key === undefined || older.size === 0) continue;
      const index = this.#indexes.get(one.source.id) ?? new StanzaIndex();
      this.#indexes.set(one.source.id, index);
      await index.update(one, this.#ending.signal);
      const target = { recipient: cluster, kid: key.kid, publicKey: key.publicKey };
      parts.push(await rewrapped(one, { cluster, key: target, keys, paths: index.with(older), known, audit }));
    }
    const fulfilled = requests.filter((request) => isRotated(request, wanted)).map(({ id }) => id);
    const listed = asked.flatMap(({ keyring }) => keyring.recipients.get(cluster) ?? []);
    const isListed = listed.every((recipient) => listsTheSame(recipient, wanted));
    return proposalOf({
      id: this.#id,
      cluster,
      commit: asked[0]?.state.commit ?? '',
      recipient: isListed ? undefined : { ...wanted, file: own.file },
      parts,
      fulfils: [...new Set(fulfilled)],
    });
  }
}

export function openKeyRotation(options: KeyRotationOptions): KeyRotation {
  return new KeyRotation(options);
}
