import { setImmediate } from 'node:timers/promises';
import { isManifestPath, type RepositoryConfig } from '../../../core/config/repository.ts';
import { CofferError } from '../../../core/errors.ts';
import type { Manifest } from '../../../core/format/manifest/manifest.ts';
import { manifestProblems } from '../../../core/format/manifest/read-manifest.ts';
import type { Repository } from '../../../core/git/repository.ts';
import { type Change, changesBetween } from '../../../core/git/trees/changes.ts';
import { isFile, MODE } from '../../../core/git/trees/tree.ts';
import type { ReachRule } from '../../../core/trust/policy/reach-rule.ts';
import { keyOf } from '../../project/namespaced-name.ts';
import { beyondReach } from './beyond-reach.ts';
import type { Claim, Origin } from './claim.ts';
import { reachOf } from './reach-of.ts';
import type { Update } from './watched.ts';

/** What is known of one file of the accepted state. */
interface FileFacts {
  /** Of its blob, its mode and the rule of where it may write: the same facts come of the same. */
  version: string;
  claims: readonly Claim[];
  problems: readonly CofferError[];
}

/** What decides of a file what it claims. */
export interface IndexRules {
  config: RepositoryConfig;
  reach: ReachRule;
}

export interface IndexOptions {
  source: string;
  repository: Repository;
  /** The folder that holds manifests. */
  under: string;
  /** Those that are there now: what globs are matched against. */
  namespaces(): Iterable<string>;
}

/** After so many files the event loop gets its turn. */
const TURN = 64;
/** Manifests just read that are likely to be opened next. */
const RECENT = 256;

/**
 * Which manifests a source's accepted state holds: their claims by path, never their content. It is moved from state to state
 * by what differs between them, so that its work is that of the change.
 */
export class ManifestIndex {
  readonly #options: IndexOptions;
  readonly #files = new Map<string, FileFacts>();
  /** Those of the files that have problems. */
  readonly #troubled = new Set<string>();
  readonly #refusedNames = new Map<string, CofferError>();
  readonly #recent = new Map<string, Manifest>();

  constructor(options: IndexOptions) {
    this.#options = options;
  }

  /**
   * Moves from one tree to another. `from` null, or other `rules` than before: everything is looked at, and what is known of
   * files that are the same is kept.
   */
  async advance(
    from: string | null,
    to: string,
    { config, reach }: IndexRules,
    originOf: (changes: readonly Change[]) => Promise<(path: string, blob: string) => Origin>,
  ): Promise<Update> {
    const { repository, under } = this.#options;
    const refused: { path: string; side: 'before' | 'after' }[] = [];
    const changes: Change[] = [];
    const walk = changesBetween(repository, from, to, {
      under,
      refused: (path, side) => refused.push({ path, side }),
    });
    for await (const change of walk) {
      if (isManifestPath(config, change.path)) changes.push(change);
    }
    const origin = await originOf(changes);
    const facts = new Map<string, FileFacts | undefined>();
    if (from === null) for (const path of this.#files.keys()) facts.set(path, undefined);
    let turn = 0;
    for (const change of changes) {
      facts.set(change.path, await this.#read(change, reach, origin));
      if (++turn % TURN === 0) await setImmediate();
    }
    // Nothing above has changed what is known: a tree that cannot be read leaves all as it was.
    this.#noteRefused(from, refused);
    return this.#replace(facts);
  }

  /** Computes anew which of the namespaces that are there now the manifests of scope cluster reach. */
  reach(): Update {
    const facts = new Map<string, FileFacts>();
    const namespaces = [...this.#options.namespaces()];
    for (const [path, before] of this.#files) {
      const claims = before.claims.map((claim) => {
        const keys = claim.namespaces === undefined ? claim.keys : reachOf(claim.home, claim.namespaces, namespaces);
        return keys.join() === claim.keys.join() ? claim : { ...claim, keys };
      });
      if (claims.some((claim, at) => claim !== before.claims[at])) facts.set(path, { ...before, claims });
    }
    return this.#replace(facts);
  }

  /** Whether this file exists but its manifests are not (all) known: what it owned is then not gone. */
  isUnreadable(path: string): boolean {
    return (this.#files.get(path)?.problems.length ?? 0) > 0;
  }

  problemsOf(path: string): readonly CofferError[] {
    return this.#files.get(path)?.problems ?? [];
  }

  *problems(): Generator<CofferError> {
    yield* this.#refusedNames.values();
    for (const path of this.#troubled) yield* this.problemsOf(path);
  }

  *claims(): Generator<Claim> {
    for (const { claims } of this.#files.values()) yield* claims;
  }

  /** Reads a manifest of this source again, also one of an earlier state. Throws what is wrong with it. */
  async manifest({ path, index, blob }: { path: string; index: number; blob: string }): Promise<Manifest> {
    const recent = this.#recent.get(`${blob}:${index}`);
    if (recent !== undefined && recent.file === path) return recent;
    const { file, problems } = manifestProblems(await this.#options.repository.readBlob(blob), path);
    const manifest = file?.manifests.find((candidate) => candidate.index === index);
    if (manifest !== undefined) return manifest;
    throw (
      problems[0] ??
      new CofferError('MANIFEST_MISSING', 'the manifest is not in its file any more', {
        advice: 'Push the manifest again.',
        data: { file: path },
      })
    );
  }

  async #read(
    change: Change,
    reach: ReachRule,
    origin: (path: string, blob: string) => Origin,
  ): Promise<FileFacts | undefined> {
    const { path, after } = change;
    if (after === undefined || after.mode === MODE.submodule) return undefined;
    const version = `${after.mode} ${after.oid} ${reach.key}`;
    const known = this.#files.get(path);
    if (known?.version === version) return known;
    if (!isFile(after)) return { version, claims: [], problems: [symlink(path)] };
    let problems: CofferError[];
    let manifests: readonly Manifest[] = [];
    try {
      const result = manifestProblems(await this.#options.repository.readBlob(after.oid), path);
      problems = result.problems;
      manifests = result.file?.manifests ?? [];
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      problems = [error.at({ file: path })];
    }
    for (const manifest of manifests) this.#remember(`${after.oid}:${manifest.index}`, manifest);
    const from = { blob: after.oid, origin: origin(path, after.oid) };
    const refused = new Map(manifests.flatMap((manifest) => beyondReach(manifest, reach) ?? []));
    const claims = manifests.filter((one) => !refused.has(one)).map((manifest) => this.#claim(manifest, from));
    return { version, claims, problems: [...problems, ...refused.values()] };
  }

  #claim(manifest: Manifest, from: { blob: string; origin: Origin }): Claim {
    const { source, namespaces } = this.#options;
    const home = keyOf(manifest.namespace, manifest.name);
    const further = manifest.binding.scope === 'cluster' ? manifest.namespaces : undefined;
    return {
      source,
      path: manifest.file,
      index: manifest.index,
      line: manifest.line,
      home,
      keys: further === undefined ? [home] : reachOf(home, further, namespaces()),
      ...(further === undefined ? {} : { namespaces: further }),
      recipients: manifest.recipients,
      retain: manifest.deletionPolicy === 'Retain',
      ...from,
    };
  }

  #remember(key: string, manifest: Manifest): void {
    this.#recent.set(key, manifest);
    if (this.#recent.size <= RECENT) return;
    for (const oldest of this.#recent.keys()) {
      this.#recent.delete(oldest);
      return;
    }
  }

  #noteRefused(from: string | null, refused: readonly { path: string; side: 'before' | 'after' }[]): void {
    if (from === null) this.#refusedNames.clear();
    for (const { path, side } of refused) {
      if (side === 'before') this.#refusedNames.delete(path);
    }
    for (const { path, side } of refused) {
      if (side === 'after') this.#refusedNames.set(path, illegalName(path));
    }
  }

  #replace(facts: ReadonlyMap<string, FileFacts | undefined>): Update {
    const removed: Claim[] = [];
    const added: Claim[] = [];
    for (const [path, after] of facts) {
      const before = this.#files.get(path);
      if (before === after) continue;
      removed.push(...(before?.claims ?? []));
      added.push(...(after?.claims ?? []));
      if (after === undefined || after.problems.length === 0) this.#troubled.delete(path);
      else this.#troubled.add(path);
      // A file without coffer documents need not be remembered.
      if (after === undefined || after.claims.length + after.problems.length === 0) this.#files.delete(path);
      else this.#files.set(path, after);
    }
    return { removed, added, paths: new Set(facts.keys()) };
  }
}

function symlink(path: string): CofferError {
  return new CofferError('MANIFEST_SYMLINK', `${path} is a symbolic link, and links are not followed`, {
    advice: 'Commit the manifest itself in its place, or name the link in `ignore` of .coffer/config.yaml.',
    data: { file: path },
  });
}

function illegalName(path: string): CofferError {
  return new CofferError('SOURCE_NAME_REFUSED', `the name of ${path} is not one that a checkout could have`, {
    advice: 'Rename it: no control characters, `/`, `\\`, `.`, `..` or `.git`, and UTF-8.',
    data: { file: path },
  });
}
