import type { AuditLog } from '../../../core/audit/log.ts';
import type { AuditRecord } from '../../../core/audit/record.ts';
import { CofferError } from '../../../core/errors.ts';
import type { SealingKey } from '../../../core/format/sealed/stanza.ts';
import type { SecretKeys } from '../../../core/keys/key-file.ts';
import { checkPin, type Pins } from '../../../core/keys/pins.ts';
import { activeKey } from '../../../core/keys/recipient.ts';
import { type RetireRequest, requestFile } from '../../../core/requests/request.ts';
import { printable } from '../../../core/trust/printable.ts';
import type { KeyStore } from '../../keys/key-store.ts';
import type { Log } from '../../process/log.ts';
import type { Asked } from '../../requests/asked.ts';
import type { Archive } from './archive.ts';
import type { KeyMemory } from './memory.ts';
import { retiredKeys, watchedFor } from './watch-retired.ts';

export interface RetirementOptions {
  cluster: string;
  store: KeyStore;
  archive: Archive;
  audit: Pick<AuditLog, 'append'>;
  log: Pick<Log, 'info'>;
  /** Milliseconds. */
  grace: number;
  /** What of a source's accepted state is sealed to a key: paths. */
  files: (source: string, kid: string) => readonly string[];
  /** What else needs a key, for people. */
  elsewhere: (kid: string) => Promise<readonly string[]>;
}

/** What a look goes by. */
export interface Circumstances {
  asked: readonly Asked[];
  keys: SecretKeys;
  memory: KeyMemory;
  pins: Pins;
  now: Date;
}

export interface Retired {
  /** Ids of the requests that are done with. */
  done: string[];
  /** Kids that the store has no more. */
  gone: Set<string>;
  refusals: CofferError[];
  /** Kid → when its grace ends, in milliseconds since 1970. That one waits is no trouble: nobody has to do anything. */
  waiting: Map<string, number>;
  /** When the first of them ends. */
  until: number;
}

/** So many of the things that hang on a key are named. */
const MOST_NAMED = 20;

/**
 * Deletes secret keys on which nothing hangs any more, each at a committed request. Its seed is sealed to the recovery recipients before.
 */
export class Retirement {
  readonly #options: RetirementOptions;
  /** Ids of requests of which the output says that they wait. */
  readonly #told = new Set<string>();

  constructor(options: RetirementOptions) {
    this.#options = options;
  }

  /**
   * Does what requests ask, once its grace has passed and as far as nothing forbids it: RETIRE_KEY_UNKNOWN, RETIRE_KEY_ACTIVE,
   * RETIRE_HANGS, RETIRE_NO_RECOVERY. Throws CofferError what the store, the log and the archive throw.
   */
  async fulfil(circumstances: Circumstances): Promise<Retired> {
    const retired: Retired = {
      done: [],
      gone: new Set(),
      refusals: [],
      waiting: new Map(),
      until: Number.POSITIVE_INFINITY,
    };
    for (const request of circumstances.asked.flatMap(({ retirements }) => retirements)) {
      const outcome = await this.#try(request, circumstances);
      if (outcome === 'done') {
        retired.done.push(request.id);
        retired.gone.add(request.key);
      } else if (outcome === 'waits') retired.waiting.set(request.key, this.#wait(request, circumstances));
      else retired.refusals.push(outcome);
    }
    retired.until = Math.min(...retired.waiting.values());
    return retired;
  }

  async #try(request: RetireRequest, circumstances: Circumstances): Promise<CofferError | 'waits' | 'done'> {
    const { cluster, store, archive, audit } = this.#options;
    const { asked, keys, pins } = circumstances;
    const { key: kid, id } = request;
    const listed = asked.flatMap(({ keyring }) => keyring.recipients.get(cluster) ?? []);
    const isListed = listed.some((recipient) => recipient.keys.some((key) => key.kid === kid));
    if (!isListed) return refusal('RETIRE_KEY_UNKNOWN', request);
    const seed = keys.keys.get(kid)?.seed;
    if (seed === undefined) return 'done';
    if (!retiredKeys(listed).has(kid)) return refusal('RETIRE_KEY_ACTIVE', request);
    const hanging = this.#inGit(request, asked);
    if (hanging.length > 0) return refusal('RETIRE_HANGS', request, listOf(hanging));
    if (this.#left(request, circumstances) > 0) return 'waits';
    const elsewhere = await this.#options.elsewhere(kid);
    if (elsewhere.length > 0) return refusal('RETIRE_HANGS', request, listOf(elsewhere));
    const recovery = recoveryKeys(asked, pins);
    if (recovery.length === 0) return refusal('RETIRE_NO_RECOVERY', request);
    const about: AuditRecord<'key.changed'> = {
      event: 'key.changed',
      cluster,
      recipient: cluster,
      keyIds: [kid],
      request: id,
    };
    await audit.append([{ ...about, change: 'archived' }]);
    await archive.keep(seed, { recipient: cluster, kid }, recovery);
    await audit.append([{ ...about, change: 'deleted' }]);
    await store.remove(kid);
    return 'done';
  }

  /** Returns until when. */
  #wait(request: RetireRequest, circumstances: Circumstances): number {
    const { cluster, log } = this.#options;
    const until = circumstances.now.getTime() + this.#left(request, circumstances);
    if (!this.#told.has(request.id)) {
      this.#told.add(request.id);
      const day = new Date(until).toISOString();
      log.info(`the key ${request.key} is deleted as asked when its grace has passed: ${day} at the earliest`, {
        cluster,
      });
    }
    return until;
  }

  #left({ key }: RetireRequest, { memory, now }: Circumstances): number {
    return this.#options.grace - watchedFor(memory, key, now);
  }

  /** Without what other replicas' clones or people's may hold: they are told by `coffer recipients retire`. */
  #inGit({ key: kid, id }: RetireRequest, asked: readonly Asked[]): string[] {
    const { cluster, files } = this.#options;
    const hanging: string[] = [];
    for (const { source, keyring, requests, rotations } of asked) {
      hanging.push(...files(source.id, kid));
      for (const { name, keys, file } of keyring.recipients.values()) {
        const isSeed = name !== cluster && keys.some(({ seeds }) => seeds.get(cluster)?.kid === kid);
        if (isSeed) hanging.push(file);
      }
      hanging.push(...[...requests, ...rotations].filter((one) => one.id !== id).map((one) => requestFile(one.id)));
    }
    return [...new Set(hanging)];
  }
}

/** Active keys of recovery recipients that the pins confirm: whoever gets a seed can open all that was sealed to it. */
function recoveryKeys(asked: readonly Asked[], pins: Pins): SealingKey[] {
  const keys = new Map<string, SealingKey>();
  for (const recipient of asked.flatMap(({ keyring }) => [...keyring.recipients.values()])) {
    const key = activeKey(recipient);
    if (recipient.type !== 'recovery' || key === undefined || checkPin(pins, recipient) !== 'pinned') continue;
    keys.set(recipient.name, { recipient: recipient.name, kid: key.kid, publicKey: key.publicKey });
  }
  return [...keys.values()];
}

function listOf(things: readonly string[]): string {
  const named = things.toSorted().slice(0, MOST_NAMED).map(printable).join(', ');
  return things.length > MOST_NAMED ? `${named} and ${things.length - MOST_NAMED} more` : named;
}

type Code = 'RETIRE_KEY_UNKNOWN' | 'RETIRE_KEY_ACTIVE' | 'RETIRE_HANGS' | 'RETIRE_NO_RECOVERY';

function refusal(code: Code, { recipient, key, id }: RetireRequest, detail = ''): CofferError {
  const { message, advice } = REFUSALS[code];
  const data = { recipient, keyId: key, file: requestFile(id) };
  return new CofferError(code, message(key, detail), { advice: advice(recipient), data });
}

const REFUSALS: Record<
  Code,
  { message: (kid: string, detail: string) => string; advice: (recipient: string) => string }
> = {
  RETIRE_KEY_UNKNOWN: {
    message: (kid) => `A request is to delete the key ${kid}, which the keyring does not list.`,
    advice: (recipient) => `Remove the file; \`coffer recipients list\` shows the keys of ${recipient}.`,
  },
  RETIRE_KEY_ACTIVE: {
    message: (kid) => `The key ${kid} is not deleted: it is active, and everybody seals to it.`,
    advice: (recipient) => `Rotate first: \`coffer recipients rotate ${recipient}\`.`,
  },
  RETIRE_HANGS: {
    message: (kid, detail) => `The key ${kid} is not deleted, for this hangs on it: ${detail}.`,
    advice: (recipient) =>
      `Have these sealed to the newest key (\`coffer recipients rewrap ${recipient}\`), or remove them.`,
  },
  RETIRE_NO_RECOVERY: {
    message: (kid) =>
      `The key ${kid} is not deleted: there is no recovery recipient that the operator’s pins confirm, to keep it sealed to.`,
    advice: () =>
      'Make one with `coffer recipients create NAME --type recovery`, and add its line to the pins of the operator.',
  },
};
