import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { CofferError } from '../../errors.ts';
import { isSystemError } from '../../files/system-error.ts';
import { DeltaChains, type GitObject, type PackedAt } from '../packs/delta-chains.ts';
import { LARGEST_OBJECT, type ObjectType, Pack, tooLarge } from '../packs/pack.ts';

export type { GitObject } from '../packs/delta-chains.ts';
export { LARGEST_OBJECT } from '../packs/pack.ts';

const ALTERNATES_DEPTH = 5;

/**
 * The objects of a repository: loose files and packs, its own and those of its alternates. Every object's name is checked
 * against its content. Another process may repack (gc) at any moment: what is not found is looked for once more after the
 * packs are listed again; a pack that is open stays readable after it was unlinked, until then.
 *
 * isomorphic-git, which fetches, could read them too and is about as fast: with 10,000 manifests a changed one cost 9.1 ms of
 * CPU against 7.9 here, a cold start 29 s against 26. But it loads and hashes a pack as a whole and keeps what it has read: one
 * small file beside 300 MB of others took 700 ms and 650 MiB against 10 ms and 82 MiB, and one flipped bit in a pack of 200
 * manifests made all 200 unreadable instead of one. It also follows no alternates and inflates without a limit.
 */
export class ObjectStore {
  readonly #directories: string[];
  readonly #beneath: ObjectStore | undefined;
  #packs: readonly Pack[] | undefined;
  /** The packs that were opened, by the file of their index and what it was then. */
  #opened: ReadonlyMap<string, Pack> = new Map();
  readonly #chains = new DeltaChains();

  /** `directories`: as `.git/objects`. `beneath`: where what they lack is looked for; it stays open when this is closed. */
  constructor(directories: readonly string[], beneath?: ObjectStore) {
    this.#directories = directories.flatMap((directory) => withAlternates(directory));
    this.#beneath = beneath;
  }

  /**
   * `largest`: what is larger, in bytes, is not made. Throws CofferError `GIT_OBJECT_MISSING`, `GIT_OBJECT_CORRUPT`,
   * `GIT_FILE_TOO_LARGE`.
   */
  read(oid: string, largest = LARGEST_OBJECT): GitObject {
    let damage: unknown;
    for (const look of ['known', 'again'] as const) {
      if (look === 'again') this.refresh();
      try {
        const object = this.#find(oid, largest);
        if (object !== undefined) return object;
      } catch (error) {
        if (!(error instanceof RangeError) && !isSystemError(error)) throw error;
        damage = error;
      }
    }
    if (damage !== undefined) throw corrupt(oid, damage);
    throw new CofferError('GIT_OBJECT_MISSING', `the repository lacks the object ${oid}`, {
      advice: 'Run `git fsck` there; a shallow or partial clone may have to be completed with `git fetch --unshallow`.',
      loop: 'retry',
    });
  }

  /** Whether there is an object of that name, as of the last look at the packs; its content is not looked at. */
  has(oid: string): boolean {
    const name = Buffer.from(oid, 'hex');
    return (
      this.#listPacks().some((pack) => pack.find(name) !== undefined) ||
      this.#directories.some((directory) => existsSync(looseFile(directory, oid))) ||
      this.#beneath?.has(oid) === true
    );
  }

  /** As `has`, for many names at once: what is there now is listed first, so that a name costs no look at the disk. */
  lookup(): (oid: string) => boolean {
    const packs = this.#listPacks();
    const isBeneath = this.#beneath?.lookup();
    const loose = new Set<string>();
    for (const directory of this.#directories) {
      for (const first of list(directory)) {
        if (first.length === 2) for (const rest of list(join(directory, first))) loose.add(first + rest);
      }
    }
    return (oid) => {
      if (loose.has(oid)) return true;
      const name = Buffer.from(oid, 'hex');
      return packs.some((pack) => pack.find(name) !== undefined) || isBeneath?.(oid) === true;
    };
  }

  /** The names that begin with these hex digits (at least two). */
  startingWith(prefix: string): string[] {
    const found = new Set(this.#listPacks().flatMap((pack) => pack.startingWith(prefix)));
    for (const oid of this.#beneath?.startingWith(prefix) ?? []) found.add(oid);
    for (const directory of this.#directories) {
      for (const rest of list(join(directory, prefix.slice(0, 2)))) {
        const oid = prefix.slice(0, 2) + rest;
        if (oid.startsWith(prefix) && /^[0-9a-f]{40}$/.test(oid)) found.add(oid);
      }
    }
    return [...found];
  }

  /** Its own. */
  packs(): readonly Pack[] {
    return this.#listPacks();
  }

  /** Looks again which packs there are; those that are as they were stay open. */
  refresh(): void {
    this.#packs = undefined;
    this.#beneath?.refresh();
  }

  close(): void {
    for (const pack of this.#opened.values()) pack.close();
    this.#opened = new Map();
    this.#packs = undefined;
    this.#chains.forget();
  }

  #find(oid: string, largest: number): GitObject | undefined {
    const name = Buffer.from(oid, 'hex');
    let damage: unknown;
    for (const pack of this.#listPacks()) {
      const offset = pack.find(name);
      if (offset === undefined) continue;
      try {
        return checked(
          oid,
          this.#chains.read({ pack, offset }, largest, (base) => this.#locate(base)),
        );
      } catch (error) {
        if (!(error instanceof RangeError) && !isSystemError(error)) throw error;
        // The same object may stand whole in another pack.
        damage = error;
      }
    }
    for (const directory of this.#directories) {
      const loose = readLoose(looseFile(directory, oid));
      if (loose !== undefined && loose.bytes.length > largest) throw tooLarge(loose.bytes.length, largest);
      if (loose !== undefined) return checked(oid, loose);
    }
    const beneath = this.#beneath === undefined ? undefined : this.#beneath.#find(oid, largest);
    if (beneath === undefined && damage !== undefined) throw damage;
    return beneath;
  }

  /** Where the base of a delta is. Its name is not checked: that of what is made from it is. */
  #locate(oid: string): PackedAt | GitObject | undefined {
    const name = Buffer.from(oid, 'hex');
    for (const pack of this.#listPacks()) {
      const offset = pack.find(name);
      if (offset !== undefined) return { pack, offset };
    }
    for (const directory of this.#directories) {
      const loose = readLoose(looseFile(directory, oid));
      if (loose !== undefined) return loose;
    }
    return this.#beneath === undefined ? undefined : this.#beneath.#locate(oid);
  }

  #listPacks(): readonly Pack[] {
    if (this.#packs !== undefined) return this.#packs;
    const found = new Map<string, Pack>();
    for (const file of this.#directories.flatMap(indexFiles)) {
      const key = versionOf(file);
      const pack = key === undefined ? undefined : (this.#opened.get(key) ?? openPack(file));
      if (key !== undefined && pack !== undefined) found.set(key, pack);
    }
    for (const [key, pack] of this.#opened) {
      if (found.has(key)) continue;
      pack.close();
      // A pack of that name may come again and hold other bytes.
      this.#chains.forget();
    }
    this.#opened = found;
    this.#packs = [...found.values()];
    return this.#packs;
  }
}

function indexFiles(directory: string): string[] {
  const folder = join(directory, 'pack');
  return list(folder).flatMap((name) => (name.endsWith('.idx') ? [join(folder, name)] : []));
}

/** A file, and what tells it from another that takes its name. */
function versionOf(file: string): string | undefined {
  const found = statSync(file, { throwIfNoEntry: false });
  return found === undefined ? undefined : `${file} ${found.ino} ${found.size} ${found.mtimeMs}`;
}

/** A pack whose index is torn (its writer was killed), or that was removed meanwhile, is as good as absent. */
function openPack(indexFile: string): Pack | undefined {
  try {
    return new Pack(indexFile);
  } catch (error) {
    if (error instanceof RangeError || isSystemError(error)) return undefined;
    throw error;
  }
}

function looseFile(directory: string, oid: string): string {
  return join(directory, oid.slice(0, 2), oid.slice(2));
}

function readLoose(file: string): GitObject | undefined {
  let deflated: Buffer;
  try {
    deflated = readFileSync(file);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
  let content: Buffer;
  try {
    content = inflateSync(deflated, { maxOutputLength: LARGEST_OBJECT });
  } catch (cause) {
    throw new RangeError('compressed data that is damaged', { cause });
  }
  const zero = content.indexOf(0);
  const header = /^(commit|tree|blob|tag) (\d+)$/.exec(content.toString('latin1', 0, Math.max(0, Math.min(zero, 32))));
  const bytes = content.subarray(zero + 1);
  if (header === null || Number(header[2]) !== bytes.length) throw new RangeError('a loose object without its header');
  return { type: header[1] as ObjectType, bytes };
}

/** The id of an object: SHA-1 over `TYPE SP SIZE NUL` and its content. */
export function objectId(type: ObjectType, bytes: Uint8Array): string {
  return createHash('sha1').update(`${type} ${bytes.length}\0`).update(bytes).digest('hex');
}

function checked(oid: string, object: GitObject): GitObject {
  if (objectId(object.type, object.bytes) !== oid) throw new RangeError('content of another object');
  return object;
}

/** A directory of objects and those that its `info/alternates` names, one a line, relative ones to the directory itself. */
function withAlternates(directory: string, depth = 0): string[] {
  let lines: string[] = [];
  try {
    lines = readFileSync(join(directory, 'info', 'alternates'), 'utf8').split('\n');
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
  const others = depth === ALTERNATES_DEPTH ? [] : lines.filter((line) => line !== '' && !line.startsWith('#'));
  const absolute = others.map((other) => (isAbsolute(other) ? other : join(directory, other)));
  return [directory, ...absolute.flatMap((other) => withAlternates(other, depth + 1))];
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

function corrupt(oid: string, cause: unknown): CofferError {
  return new CofferError('GIT_OBJECT_CORRUPT', `the repository's object ${oid} is damaged`, {
    advice: 'Run `git fsck` there, and fetch or clone it again from a copy that is whole.',
    loop: 'retry',
    cause,
  });
}
