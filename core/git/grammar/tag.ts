import { Header, identityProblem, isObjectId } from './header.ts';
import type { Problem } from './problem.ts';

/** What check_refname_format refuses in the name of a tag (git-check-ref-format). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what it looks for
const ILLEGAL_NAME = /^$|(^|\/)\.|\.\.|\/\/|\/$|^\/|\.$|@\{|\.lock(\/|$)|[\u0000-\u0020\u007f~^:?*[\\]/;

/** As fsck_tag, in its order. */
export function* tagProblems(bytes: Buffer): Generator<Problem> {
  const header = new Header(bytes);
  if (header.problem !== undefined) return yield header.problem;
  const object = header.take('object');
  if (object === undefined) return yield 'missingObject';
  if (!isObjectId(object)) return yield 'badObjectSha1';
  const type = header.take('type');
  if (type === undefined) return yield 'missingTypeEntry';
  if (!['commit', 'tree', 'blob', 'tag'].includes(type)) return yield 'badType';
  const name = header.take('tag');
  if (name === undefined) return yield 'missingTagEntry';
  if (ILLEGAL_NAME.test(name)) yield 'badTagName';
  const tagger = header.take('tagger');
  const problem = tagger === undefined ? 'missingTaggerEntry' : identityProblem(tagger);
  if (problem !== undefined) yield problem;
}
