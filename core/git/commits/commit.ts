import { CofferError } from '../../errors.ts';
import type { GitObject } from '../objects/object-store.ts';

export interface Person {
  name: string;
  email: string;
}

/** Who a commit says made it, which whoever commits may choose. `time` is in seconds since 1970, UTC. */
export type Ident = Person & { time: number };

export interface Commit {
  oid: string;
  tree: string;
  parents: readonly string[];
  author: Ident;
  committer: Ident;
  message: string;
}

const OID = /^[0-9a-f]{40}$/;
const PERSON = /^(?<name>.*?) ?<(?<email>[^<>]*)>(?: (?<time>-?\d{1,15}) [-+]\d{4})?$/;

/**
 * Reads a commit object. Throws `GIT_OBJECT_MALFORMED` where a header that git always writes is
 * absent or out of its order.
 */
export function parseCommit(oid: string, bytes: Buffer): Commit {
  const end = bytes.indexOf('\n\n');
  const headers = bytes.toString('utf8', 0, end < 0 ? bytes.length : end).split('\n');
  let next = 0;
  const take = (name: string): string | undefined => {
    if (!headers[next]?.startsWith(`${name} `)) return undefined;
    return headers[next++]?.slice(name.length + 1);
  };
  const tree = take('tree');
  const parents: string[] = [];
  for (let parent = take('parent'); parent !== undefined; parent = take('parent')) parents.push(parent);
  const author = take('author');
  const committer = take('committer');
  if (tree === undefined || author === undefined || committer === undefined) throw malformed(oid);
  if (![tree, ...parents].every((id) => OID.test(id))) throw malformed(oid);
  return {
    oid,
    tree,
    parents,
    author: parseIdent(author),
    committer: parseIdent(committer),
    message: end < 0 ? '' : bytes.toString('utf8', end + 2),
  };
}

function parseIdent(text: string): Ident {
  const groups = PERSON.exec(text)?.groups;
  return { name: groups?.name ?? '', email: groups?.email ?? '', time: Number(groups?.time ?? 0) };
}

/** Only what a walk needs of a commit. Throws `GIT_OBJECT_MALFORMED`. */
export function commitLinks(oid: string, object: GitObject): { tree: string; parents: readonly string[] } {
  if (object.type !== 'commit') throw malformed(oid);
  const LINE = 48;
  const tree = /^tree ([0-9a-f]{40})\n$/.exec(object.bytes.toString('latin1', 0, 46))?.[1];
  if (tree === undefined) throw malformed(oid);
  const parents: string[] = [];
  for (let at = 46; ; at += LINE) {
    const parent = /^parent ([0-9a-f]{40})\n$/.exec(object.bytes.toString('latin1', at, at + LINE))?.[1];
    if (parent === undefined) return { tree, parents };
    parents.push(parent);
  }
}

/** The object that an annotated tag names. */
export function tagTarget(bytes: Buffer): string | undefined {
  return /^object ([0-9a-f]{40})\n/.exec(bytes.toString('latin1', 0, 48))?.[1];
}

function malformed(oid: string): CofferError {
  return new CofferError('GIT_OBJECT_MALFORMED', `the commit ${oid} lacks a header that git always writes`, {
    advice: 'Run `git fsck` there, and push another commit.',
    data: { commit: oid },
  });
}
