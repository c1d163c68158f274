import { Bug } from '../../errors.ts';
import type { Ident } from './commit.ts';

export interface NewCommit {
  /** Object id. */
  tree: string;
  parents: readonly string[];
  /** Author and committer. */
  by: Ident;
  /** Subject, empty line, body. */
  message: string;
}

const OID = /^[0-9a-f]{40}$/;
/** What git itself leaves out of names (ident.c): they would end the field. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const UNUSUAL = /[\u0000-\u001f\u007f<>]/;
/** What git calls a line of a message that was made for people: no control characters but line ends and tabs. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f]/g;

/**
 * The bytes of a commit as git writes them (commit.c), times in UTC, with the signature over all the rest where git puts it: a
 * header, its lines indented (git's signature-format page). `sign` gives armored text that ends with a line end.
 */
export function commitBytes({ tree, parents, by, message }: NewCommit, sign: (payload: Buffer) => string): Buffer {
  if (![tree, ...parents].every((oid) => OID.test(oid))) throw new Bug('a commit of something without an object id');
  if (UNUSUAL.test(by.name) || UNUSUAL.test(by.email) || !Number.isSafeInteger(by.time)) {
    throw new Bug('a commit by somebody whose name git does not write');
  }
  const who = `${by.name} <${by.email}> ${by.time} +0000`;
  const lines = [`tree ${tree}`, ...parents.map((oid) => `parent ${oid}`), `author ${who}`, `committer ${who}`];
  const head = `${lines.join('\n')}\n`;
  const body = `\n${message.replace(CONTROLS, ' ').trim()}\n`;
  const signature = sign(Buffer.from(head + body))
    .trimEnd()
    .replaceAll('\n', '\n ');
  return Buffer.from(`${head}gpgsig ${signature}\n${body}`);
}
