import type { Person } from '../../../core/git/repository.ts';
import type { Key } from '../../project/namespaced-name.ts';

/** The commit that brought a manifest, as far as it is known. */
export interface Origin {
  commit: string;
  author: Person;
  /** In seconds since 1970, UTC. */
  time: number;
}

/** A document's place: `Claim`s and owners are the same when these three are. */
export interface Place {
  source: string;
  path: string;
  /** Of the document among the manifests of its file. */
  index: number;
}

export function isSamePlace(a: Place, b: Place): boolean {
  return a.source === b.source && a.path === b.path && a.index === b.index;
}

/** What is remembered of a manifest without its content, which is read again when it is needed. */
export interface Claim extends Place {
  line: number;
  /** NAMESPACE/NAME of its metadata. */
  home: Key;
  /** Home, and with scope cluster the others that it reaches. */
  keys: readonly Key[];
  /** With scope cluster: the names and globs that it reaches further. */
  namespaces?: readonly string[];
  recipients: readonly string[];
  retain: boolean;
  blob: string;
  origin: Origin;
}

/** A manifest that is or was projected: its place, its bytes, and the commit it came with. */
export interface Version extends Place, Origin {
  /** Names the bytes: of a blob in git, or a digest. */
  blob: string;
  /** The bytes, where the source does not keep them: an object in the cluster that became another. */
  text?: string;
}

/** Of what no commit brought. */
export const NO_ORIGIN: Origin = { commit: '', author: { name: '', email: '' }, time: 0 };
