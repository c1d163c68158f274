import { createHash } from 'node:crypto';
import { CofferError } from '../../../core/errors.ts';
import type { Manifest } from '../../../core/format/manifest/manifest.ts';
import { manifestProblems } from '../../../core/format/manifest/read-manifest.ts';
import type { Keyring } from '../../../core/keys/keyring.ts';
import { type Key, keyOf, namesOf } from '../../project/namespaced-name.ts';
import type { Provenance } from '../../project/projector.ts';
import type { Verified } from '../../status/status.ts';
import { type Claim, NO_ORIGIN, type Place, type Version } from '../state/claim.ts';
import type { GitWatched } from '../state/git-watched.ts';
import { reachOf } from '../state/reach-of.ts';
import type { State } from '../state/state.ts';
import type { Advance, ReadManifest, Update, Watched } from '../state/watched.ts';
import type { CarriedObjects } from './carried-objects.ts';
import type { Vouching } from './vouching.ts';

/** Id of the source that the objects are. */
const OBJECTS = 'objects';

/** What is known of one object. */
interface Facts {
  claims: readonly Claim[];
  problems: readonly CofferError[];
}

export interface ObjectsWatchedOptions extends CarriedObjects {
  cluster: string;
  git: readonly GitWatched[];
  vouching: Vouching;
  namespaces(): Iterable<string>;
}

/**
 * EncryptedSecret objects that others apply, as a source: the path of each is its NAMESPACE/NAME. One whose name a manifest in
 * git has is that manifest's picture and claims nothing; another one is projected when git vouches for it, or where the
 * configuration does not ask for that.
 */
export class ObjectsWatched implements Watched {
  readonly id = OBJECTS;
  readonly address = 'EncryptedSecret objects';
  readonly commit = undefined;
  trouble: CofferError | undefined;
  #isSynced = false;
  readonly #options: ObjectsWatchedOptions;
  readonly #facts = new Map<Key, Facts>();
  /** Objects of which something became another. */
  readonly #due = new Set<Key>();
  readonly #verified = new Map<Key, Verified | undefined>();
  own: ReadonlySet<string> = new Set();

  constructor(options: ObjectsWatchedOptions) {
    this.#options = options;
  }

  /** Objects are nothing without those who vouch for them. */
  get isKnown(): boolean {
    return this.#isSynced && this.#options.git.every(({ isKnown }) => isKnown);
  }

  isSeen(path?: string): boolean {
    const { store } = this.#options;
    return this.isKnown && store.trouble(path === undefined ? undefined : namesOf(path).namespace) === undefined;
  }

  /** Of all git sources: an object may be sealed to a group. */
  get keyring(): Keyring | undefined {
    const [first, ...others] = this.#options.git.flatMap(({ keyring }) => (keyring === undefined ? [] : [keyring]));
    if (first === undefined || others.length === 0) return first;
    const recipients = new Map([first, ...others].reverse().flatMap((keyring) => [...keyring.recipients]));
    return { ...first, recipients };
  }

  /** All have been seen once. */
  sync(): void {
    this.#isSynced = true;
    this.recheck('all');
  }

  /** Looks at these again at the next `advance`; what there is nothing of is no matter. */
  recheck(homes: Iterable<Key> | 'all'): void {
    const { store } = this.#options;
    const all = homes === 'all' ? Array.from(store.foreign(), ({ namespace, name }) => keyOf(namespace, name)) : homes;
    for (const home of all) this.#due.add(home);
  }

  /** What git says of those that were looked at since the last call; `undefined`: there is no such object. */
  takeVerified(): [Key, Verified | undefined][] {
    const taken = [...this.#verified];
    this.#verified.clear();
    return taken;
  }

  async advance(memory: State): Promise<Advance | undefined> {
    if (!this.isKnown || this.#due.size === 0) return undefined;
    const { vouching, cluster } = this.#options;
    this.own = vouching.own(cluster);
    const facts = new Map<Key, Facts | undefined>();
    const due = [...this.#due];
    // What changes while others are looked at is due again.
    this.#due.clear();
    try {
      for (const key of due) facts.set(key, await this.#look(key, memory));
    } catch (error) {
      this.recheck(due);
      throw error;
    }
    return { ...this.#replace(facts), hasNewKeyring: false };
  }

  reach(): Update {
    const namespaces = [...this.#options.namespaces()];
    const facts = new Map<Key, Facts>();
    for (const [path, before] of this.#facts) {
      const claims = before.claims.map((claim) => ({ ...claim, keys: this.#keys(claim, namespaces) }));
      if (claims.some(({ keys }, at) => keys.join() !== before.claims[at]?.keys.join()))
        facts.set(path, { ...before, claims });
    }
    return this.#replace(facts);
  }

  *claims(): Generator<Claim> {
    for (const { claims } of this.#facts.values()) yield* claims;
  }

  isOurs(claim: Claim): boolean {
    return claim.recipients.some((recipient) => this.own.has(recipient));
  }

  isUnreadable({ path }: Place): boolean {
    return this.problemsOf(path).length > 0;
  }

  problemsOf(path: string): readonly CofferError[] {
    return this.#facts.get(path)?.problems ?? [];
  }

  /** None: each is seen in the status of its secret. */
  problems(): CofferError[] {
    return [];
  }

  async read({ path, blob, text }: Version): Promise<ReadManifest> {
    const current = text ?? this.#text(path);
    if (current !== undefined && digest(current) === blob)
      return { manifest: manifestOf(current, path), text: current };
    throw new CofferError('MANIFEST_MISSING', `the EncryptedSecret ${path} is not in the cluster as it was`, {
      advice: 'Apply the object again.',
      data: { file: path },
      loop: 'retry',
    });
  }

  objectOf(path: string): Provenance['object'] {
    const object = this.#options.store.get(path);
    return object && { ...namesOf(path), uid: object.uid };
  }

  /** Of an object that somebody else carries. */
  #text(key: Key): string | undefined {
    const { store } = this.#options;
    return store.get(key)?.isMirror === false ? store.manifestText(key).toString() : undefined;
  }

  async #look(key: Key, memory: State): Promise<Facts | undefined> {
    const text = this.#text(key);
    if (text === undefined) {
      this.#verified.set(key, undefined);
      return undefined;
    }
    try {
      return await this.#judge(key, text, manifestOf(text, key), memory);
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      this.#verified.set(key, undefined);
      return { claims: [], problems: [error] };
    }
  }

  async #judge(key: Key, text: string, manifest: Manifest, memory: State): Promise<Facts | undefined> {
    const good = memory.get(key)?.good;
    const before = good?.text === undefined ? undefined : { good, manifest: manifestOf(good.text, key) };
    const { verified, origin = NO_ORIGIN, isGits } = await this.#options.vouching.judge(manifest, this.own, before);
    this.#verified.set(key, verified);
    if (isGits) return undefined;
    const { namespace, recipients } = manifest;
    if (!recipients.some((recipient) => this.own.has(recipient)))
      return { claims: [], problems: [notForUs(key, recipients, this.#options.cluster)] };
    if (!this.#options.isCarried(namespace)) return { claims: [], problems: [notCarried(key)] };
    if (verified.status === 'False' && !this.#options.isUnverifiedAllowed(namespace))
      return { claims: [], problems: [unverified(key, verified)] };
    const further = manifest.binding.scope === 'cluster' ? manifest.namespaces : undefined;
    const claim: Claim = {
      ...{ source: OBJECTS, path: key, index: 0, line: 1, home: key, blob: digest(text), origin },
      keys: [key],
      ...(further === undefined ? {} : { namespaces: further }),
      recipients: manifest.recipients,
      retain: manifest.deletionPolicy === 'Retain',
    };
    return { claims: [{ ...claim, keys: this.#keys(claim, this.#options.namespaces()) }], problems: [] };
  }

  /** What no commit has reaches only namespaces where that is allowed: else it could be carried from there anywhere. */
  #keys({ home, namespaces: further, origin }: Claim, namespaces: Iterable<string>): readonly Key[] {
    if (further === undefined) return [home];
    const keys = reachOf(home, further, namespaces);
    if (origin.commit !== '') return keys;
    return keys.filter((key) => key === home || this.#options.isUnverifiedAllowed(namesOf(key).namespace));
  }

  #replace(facts: ReadonlyMap<Key, Facts | undefined>): Update {
    const removed: Claim[] = [];
    const added: Claim[] = [];
    for (const [path, after] of facts) {
      const before = this.#facts.get(path);
      if (isSame(before, after)) continue;
      removed.push(...(before?.claims ?? []));
      added.push(...(after?.claims ?? []));
      if (after === undefined) this.#facts.delete(path);
      else this.#facts.set(path, after);
    }
    return { removed, added, paths: new Set(facts.keys()) };
  }
}

function isSame(before: Facts | undefined, after: Facts | undefined): boolean {
  return before?.problems.length === 0 && JSON.stringify(before.claims) === JSON.stringify(after?.claims);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Throws the first thing that is wrong with it. */
function manifestOf(text: string, path: string): Manifest {
  const { file, problems } = manifestProblems(Buffer.from(text), path);
  const [manifest] = file.manifests;
  const problem = problems[0] ?? (manifest === undefined ? unreadable(path) : undefined);
  if (problem !== undefined || manifest === undefined) throw problem ?? unreadable(path);
  return manifest;
}

function unreadable(path: string): CofferError {
  return new CofferError('OBJECT_UNREADABLE', `the EncryptedSecret ${path} is no manifest that this version reads`, {
    advice: 'Apply a manifest that `coffer check` accepts.',
    data: { file: path },
  });
}

function notForUs(path: string, recipients: readonly string[], cluster: string): CofferError {
  return new CofferError('MANIFEST_NOT_FOR_US', `this manifest is not sealed to ${cluster}`, {
    advice: `Its recipients are ${recipients.join(', ')}: apply it there, or have one of them add ${cluster} with \`coffer rewrap --add\`.`,
    data: { file: path },
  });
}

function unverified(path: string, { reason, message }: Verified): CofferError {
  return reason === 'Differs'
    ? new CofferError('OBJECT_DIFFERS', message, {
        advice: 'Let whoever applies the object catch up with the repository, or push what the object says.',
        data: { file: path },
      })
    : new CofferError('OBJECT_NO_COMMIT', message, {
        advice:
          'Push the manifest to a repository that the operator watches, or list the namespace in encryptedSecrets.unverified.',
        data: { file: path },
      });
}

function notCarried(path: string): CofferError {
  return new CofferError('OBJECT_NOT_CARRIED', `objects of the namespace of ${path} are not projected`, {
    advice: 'List the namespace in the operator’s sources under encryptedSecrets, or commit the manifest to git.',
    data: { file: path },
  });
}
