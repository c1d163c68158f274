import type { AuditLog } from '../../core/audit/log.ts';
import type { AuditRecord } from '../../core/audit/record.ts';
import { systemRandom } from '../../core/crypto/random.ts';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import { publicKeyFromSeed, SEED_LENGTH } from '../../core/crypto/x-wing.ts';
import { CofferError } from '../../core/errors.ts';
import { endorseKey, recipientFile } from '../../core/keys/create.ts';
import { identityOf } from '../../core/keys/endorsement.ts';
import type { SecretKeys } from '../../core/keys/key-file.ts';
import { keyIdOfSeed } from '../../core/keys/key-id.ts';
import { identityText } from '../../core/keys/key-texts.ts';
import type { Keyring } from '../../core/keys/keyring.ts';
import { readPinsFile } from '../../core/keys/pins.ts';
import { activeKey, type Recipient } from '../../core/keys/recipient.ts';
import { renderRecipient } from '../../core/keys/recipient-text.ts';
import { timestamp } from '../../core/timestamp.ts';
import type { Chore } from '../chores/chore.ts';
import type { KeyStore } from '../keys/key-store.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import type { Log } from '../process/log.ts';
import type { Source } from '../source/source.ts';
import { Announcement } from './announcement.ts';
import { foreignKey } from './foreign-key.ts';
import { Keyrings } from './keyrings.ts';

export interface EnrolmentOptions {
  cluster: string;
  stateDirectory: string;
  /** The operator's own. */
  pinsFile: string;
  store: KeyStore;
  /** Those whose keyrings say whether this cluster is known. */
  sources: readonly Source[];
  audit: Pick<AuditLog, 'append'>;
  /** Absent: outside of Kubernetes. */
  client?: KubeClient | undefined;
  log: Pick<Log, 'info'>;
  now?: () => Date;
}

/**
 * Sees to it that this cluster has an identity and a key, and that its recipient, which is public, can be fetched. A key is
 * made only where all keyrings are known and none lists this cluster, and none was announced before: under a name that somebody
 * seals to, a missing key is an alarm, for a new one would open nothing and hide the loss.
 */
export class Enrolment implements Chore {
  /** What a person must do: KEYS_MISSING, KEYS_OTHER_IDENTITY, KEYS_ACTIVE_FOREIGN, or why the keys cannot be read. */
  #trouble: CofferError | undefined;
  readonly #options: EnrolmentOptions;
  readonly #keyrings: Keyrings;
  readonly #announcement: Announcement;

  constructor(options: EnrolmentOptions) {
    const { cluster, stateDirectory, sources, client } = options;
    this.#options = options;
    this.#keyrings = new Keyrings(sources);
    this.#announcement = new Announcement(cluster, stateDirectory, client);
  }

  /**
   * Looks again: at the start and after every poll. It may be killed at any point, and goes on with the same identity and key.
   * What goes wrong is told by `troubles`, and tried again by the next call.
   */
  async look(): Promise<void> {
    try {
      await sodiumReady();
      await this.#look();
      this.#trouble = undefined;
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      this.#trouble = error;
    }
  }

  troubles(): readonly CofferError[] {
    return this.#trouble === undefined ? [] : [this.#trouble];
  }

  async #look(): Promise<void> {
    const { store } = this.#options;
    const keyrings = await this.#keyrings.all();
    // First, for another replica announces what it has stored.
    const announced = await this.#announcement.read();
    const keys = await store.read();
    try {
      const [problem] = keys.problems;
      if (keys.keys.size === 0 && problem !== undefined) throw problem;
      const listed = keyrings && this.#listedIn(keyrings);
      if (listed !== undefined) {
        await this.#compare(listed, keys, announced);
      } else if (keyrings !== undefined && keys.keys.size === 0 && announced !== undefined) {
        throw lost(announced, store.place);
        // Of several keys the keyring alone tells which one is not lost.
      } else if (keyrings !== undefined || keys.keys.size === 1) {
        await this.#introduce(new Set(keys.keys.keys()));
      }
    } finally {
      keys.wipe();
    }
  }

  /** A file that cannot be read may list it, so it is no reason to make a key either. */
  #listedIn(keyrings: readonly Keyring[]): Recipient | undefined {
    const { cluster } = this.#options;
    for (const { recipients, problems } of keyrings) {
      const listed = recipients.get(cluster);
      if (listed !== undefined) return listed;
      const broken = problems.find(({ data }) => data.recipient === cluster || data.file === recipientFile(cluster));
      if (broken !== undefined) throw broken;
    }
    return undefined;
  }

  /** Announces it too, as the keyring has it, if it is our own: people ask a cluster who it is. */
  async #compare(listed: Recipient, { keys }: SecretKeys, announced: Recipient | undefined): Promise<void> {
    const { cluster, store } = this.#options;
    const wanted = activeKey(listed);
    const isMissing = wanted !== undefined && !keys.has(wanted.kid);
    const foreign = foreignKey(listed, new Set(keys.keys()), await readPinsFile(this.#options.pinsFile));
    // Other keys may be there, a former one, or one that is to follow it: what was announced was this cluster's own.
    const wasOwn = announced?.identity.equals(listed.identity) && announced.keys.some(({ kid }) => kid === wanted?.kid);
    if (foreign !== undefined && !(foreign.data.keyId !== undefined && wasOwn)) throw foreign;
    if (isMissing) throw missing(listed, wanted.kid, store.place);
    const identitySeed = await store.readIdentity();
    // Whoever made the keys elsewhere may have kept the identity there: then nothing here can vouch for what is listed.
    if (identitySeed === undefined) return;
    const identity = identityOf(identitySeed);
    identitySeed.fill(0);
    if (!identity.equals(listed.identity)) {
      throw new CofferError(
        'KEYS_OTHER_IDENTITY',
        `The identity of ${cluster} in ${store.place} is not the one that the keyring lists.`,
        {
          advice:
            'Find out which of the two is right: another cluster may use this name, or somebody changed the keyring.',
          data: { recipient: cluster, file: listed.file, path: store.place },
        },
      );
    }
    const text = renderRecipient(listed);
    await this.#announcement.write(listed, (announced) => renderRecipient(announced) === text);
  }

  /** Has an identity and a key, both its own, and says so. */
  async #introduce(kids: Set<string>): Promise<void> {
    const identitySeed = await this.#identity(kids.size > 0);
    // Keys that a person put there without their identity: nothing can vouch for them, and nothing needs to.
    if (identitySeed === undefined) return;
    try {
      const identity = identityOf(identitySeed);
      const isRight = (announced: Recipient) =>
        announced.identity.equals(identity) && kids.has(activeKey(announced)?.kid ?? '');
      const announced = await this.#announcement.read();
      if (announced !== undefined && isRight(announced)) {
        await this.#announcement.write(announced, isRight);
        return;
      }
      const recipient = await this.#endorsed(identitySeed, kids);
      await this.#record({ change: 'announced', keyIds: recipient.keys.map(({ kid }) => kid) });
      const { identity: shown } = await this.#announcement.write(recipient, isRight);
      const { cluster, log } = this.#options;
      log.info(`waiting to be enrolled: coffer recipients enroll ${cluster} --identity ${identityText(shown)}`, {
        cluster,
      });
    } finally {
      identitySeed.fill(0);
    }
  }

  /** On disk before what it tells of is done. Without `keyIds`: of the identity. */
  async #record(what: Pick<AuditRecord<'key.changed'>, 'change' | 'keyIds'>): Promise<void> {
    const { cluster, audit } = this.#options;
    await audit.append([{ event: 'key.changed', cluster, recipient: cluster, ...what }]);
  }

  /** Of two replicas that make one at once, the second takes that of the first. */
  async #identity(hasKeys: boolean): Promise<Buffer | undefined> {
    const { store } = this.#options;
    const there = await store.readIdentity();
    if (there !== undefined || hasKeys) return there;
    const made = systemRandom(SEED_LENGTH);
    try {
      await this.#record({ change: 'made' });
      await store.storeIdentity(made);
      return made;
    } catch (error) {
      made.fill(0);
      if (!(error instanceof CofferError && error.code === 'IDENTITY_EXISTS')) throw error;
      return await store.readIdentity();
    }
  }

  /**
   * With the key that is there, else a new one. Where a replica stored another key at the same moment, both stay: which of them
   * is announced decides, and neither is ever missing.
   *
   * @param kids those that are stored; gets what is there afterwards
   */
  async #endorsed(identitySeed: Buffer, kids: Set<string>): Promise<Recipient> {
    const { cluster, store, now = () => new Date() } = this.#options;
    if (kids.size === 0) {
      const seed = systemRandom(SEED_LENGTH);
      try {
        await this.#record({ change: 'made', keyIds: [keyIdOfSeed(seed)] });
        await store.store(seed);
      } finally {
        seed.fill(0);
      }
    }
    const keys = await store.read();
    try {
      for (const kid of keys.keys.keys()) kids.add(kid);
      const [first] = [...keys.keys.values()].toSorted((one, other) => (one.kid < other.kid ? -1 : 1));
      if (first === undefined) throw keys.problems[0] ?? gone(store.place);
      const created = timestamp(now());
      const key = endorseKey({ name: cluster, created, identitySeed, publicKey: publicKeyFromSeed(first.seed) });
      const identity = identityOf(identitySeed);
      return { name: cluster, type: 'cluster', identity, keys: [key], members: [], file: recipientFile(cluster) };
    } finally {
      keys.wipe();
    }
  }
}

function missing({ name }: Recipient, kid: string, place: string): CofferError {
  return new CofferError('KEYS_MISSING', `The keyring lists ${name} with the key ${kid}, and it is not in ${place}.`, {
    advice:
      'Restore it from its backup (docs/operations.md, "Backup and restore"); where it is lost, give the cluster a new name and enrol it.',
    data: { recipient: name, keyId: kid, path: place },
    loop: 'retry',
  });
}

/** Where no keyring says it, as without a git source: people may have sealed to what they were shown. */
function lost({ name, keys: [key] }: Recipient, place: string): CofferError {
  return new CofferError(
    'KEYS_MISSING',
    `${name} was announced${key === undefined ? '' : ` with the key ${key.kid}`}, and there is no key in ${place}.`,
    {
      advice: `Restore it from its backup (docs/operations.md, "Backup and restore"); if nobody has enrolled ${name}, remove what is announced (the ConfigMap coffer-recipient, or recipient.yaml in the state directory), and another is made.`,
      data: { recipient: name, path: place, ...(key === undefined ? {} : { keyId: key.kid }) },
      loop: 'retry',
    },
  );
}

function gone(place: string): CofferError {
  return new CofferError('KEYS_GONE', `A key was stored in ${place} and is not there any more.`, {
    advice: 'Find out who removes what is stored there; it is tried again.',
    data: { path: place },
    loop: 'retry',
  });
}
