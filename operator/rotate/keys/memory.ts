import { join } from 'node:path';
import { CofferError } from '../../../core/errors.ts';
import { writeFileAtomically } from '../../../core/files/atomic.ts';
import { readIfThere } from '../../../core/files/read-if-there.ts';
import { throwRefusal } from '../../../core/files/system-error.ts';
import { isObject, parseJson } from '../../../core/json.ts';
import { KEY_ID, TIMESTAMP } from '../../../schemas/grammar.ts';
import type { OwnMark } from '../../keys/own-mark.ts';
import type { KubeClient } from '../../kubernetes/client.ts';
import { OwnMaps } from '../../kubernetes/own-maps.ts';

/** A key that was made, or was about to be, and that no keyring lists yet. */
export interface MadeKey {
  kid: string;
  /** `YYYY-MM-DDTHH:MM:SSZ`, as endorsed. */
  created: string;
}

export interface PendingKey extends MadeKey {
  /** The newest key at that time, which it is to follow. */
  former: string;
  /** The former one was in the wrong hands already when this one was made. */
  revoke: boolean;
  /** The log has that it was published. */
  isTold: boolean;
}

export interface KeyMemory {
  pending?: PendingKey;
  /** Made for a rotation that another overtook: what lay beside a stolen key counts as stolen. */
  abandoned: MadeKey[];
  /** Retired key → milliseconds that the operator has looked on since, and when it looked last, ISO 8601. */
  retired: Record<string, { watched: number; at: string }>;
  /** Refusals of requests that the log has. */
  told: string[];
}

const FILE = 'key-rotation.json';
const CONFIG_MAP = 'coffer-key-rotation';
/** As it is marked. */
const NAME = 'key-rotation';
const FIELD = 'memory.json';

/**
 * What the rotation of keys remembers beside the store and the keyrings: a ConfigMap in a cluster, for all replicas; else a file of the
 * state directory. Without an identity that could mark it, it lasts as long as the process.
 */
export class KeyMemories {
  readonly #file: string;
  readonly #maps: OwnMaps | undefined;
  readonly #mark: OwnMark;
  #unmarked: string | undefined;

  constructor(stateDirectory: string, client: KubeClient | undefined, mark: OwnMark) {
    this.#file = join(stateDirectory, FILE);
    this.#maps = client && new OwnMaps(client);
    this.#mark = mark;
  }

  /** Throws CofferError ROTATE_MEMORY_DAMAGED, FILE_SYSTEM, KUBERNETES_*, what the key store throws. */
  async read(): Promise<KeyMemory> {
    const marked =
      this.#maps === undefined
        ? await readIfThere(this.#file)
        : ((await this.#maps.get(CONFIG_MAP))?.data?.[FIELD] ?? '');
    const own = marked === '' ? undefined : await this.#mark.textOf(NAME, marked, this.#place);
    const text = this.#unmarked ?? own ?? '';
    return text === '' ? { abandoned: [], retired: {}, told: [] } : this.#parse(text);
  }

  /** On disk, or with the API server, when it resolves. Throws CofferError FILE_SYSTEM, KUBERNETES_*, what the key store throws. */
  async write(memory: KeyMemory): Promise<void> {
    const plain = `${JSON.stringify(memory)}\n`;
    const text = await this.#mark.mark(NAME, plain);
    this.#unmarked = text === undefined ? plain : undefined;
    if (text === undefined) return;
    if (this.#maps !== undefined) await this.#maps.apply(CONFIG_MAP, { [FIELD]: text });
    else await writeFileAtomically(this.#file, text, { mode: 0o600 }).catch(throwRefusal);
  }

  get #place(): string {
    return this.#maps === undefined ? this.#file : this.#maps.placeOf(CONFIG_MAP);
  }

  #parse(text: string): KeyMemory {
    const memory = parseJson(text);
    if (isMemory(memory)) return memory;
    const path = this.#place;
    throw new CofferError(
      'ROTATE_MEMORY_DAMAGED',
      'What the operator remembers of the rotation of its key is damaged.',
      {
        advice: `Remove ${path}: a rotation that is under way is begun again with another key.`,
        data: { path },
      },
    );
  }
}

const GRAMMAR = { kid: new RegExp(KEY_ID), created: new RegExp(TIMESTAMP) };

function isMemory(value: unknown): value is KeyMemory {
  if (!isObject(value)) return false;
  const { pending, abandoned, retired, told } = value;
  return (
    (pending === undefined || isPending(pending)) &&
    Array.isArray(abandoned) &&
    abandoned.every(isMade) &&
    isObject(retired) &&
    Object.entries(retired).every(([kid, row]) => GRAMMAR.kid.test(kid) && isRetired(row)) &&
    Array.isArray(told) &&
    told.every((text) => typeof text === 'string')
  );
}

function isPending(value: unknown): value is PendingKey {
  if (!isObject(value) || !isMade(value)) return false;
  const { former, revoke, isTold } = value as Partial<Record<keyof PendingKey, unknown>>;
  return isText(former, GRAMMAR.kid) && typeof revoke === 'boolean' && typeof isTold === 'boolean';
}

function isMade(value: unknown): value is MadeKey {
  return isObject(value) && isText(value.kid, GRAMMAR.kid) && isText(value.created, GRAMMAR.created);
}

function isRetired(value: unknown): boolean {
  if (!isObject(value) || typeof value.at !== 'string') return false;
  return Number.isFinite(value.watched) && !Number.isNaN(Date.parse(value.at));
}

function isText(value: unknown, grammar: RegExp): value is string {
  return typeof value === 'string' && grammar.test(value);
}
