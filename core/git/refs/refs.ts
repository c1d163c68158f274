import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { isSystemError } from '../../files/system-error.ts';
import type { GitDirectory } from '../git-directory.ts';

const OID = /^[0-9a-f]{40}$/;
const SYMREF_DEPTH = 5;
// The rules of git-check-ref-format that keep a name inside its folder and free of revision syntax.
// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what it looks for
const ILLEGAL = /(^|\/)\.|\.\.|\/\/|\/$|^\/|@\{|\.lock(\/|$)|[\u0000-\u0020\u007f~^:?*[\\]/;

/** The object that a ref names, symbolic refs followed; `undefined` where there is none (an unborn branch too). */
export async function readRef(directory: GitDirectory, name: string): Promise<string | undefined> {
  let ref = name;
  for (let depth = 0; depth < SYMREF_DEPTH; depth++) {
    if (ref === '' || ILLEGAL.test(ref)) return undefined;
    const text = await looseRef(directory, ref);
    if (text === undefined) return packedRef(directory, ref);
    if (!text.startsWith('ref: ')) return OID.test(text) ? text : undefined;
    ref = text.slice('ref: '.length);
  }
  return undefined;
}

/** What stands behind a prefix (`refs/tags/`) in the names of the refs that have it, loose and packed. */
export async function listRefs({ common }: GitDirectory, prefix: string): Promise<string[]> {
  const loose = await readdir(join(common, prefix), { recursive: true, withFileTypes: true }).catch(() => []);
  const files = loose.filter((entry) => entry.isFile());
  const lines = (await readText(join(common, 'packed-refs')))?.split('\n') ?? [];
  const packed = lines.map((line) => line.slice(41)).filter((ref) => ref.startsWith(prefix));
  const names = files.map((file) => relative(common, join(file.parentPath, file.name)));
  return [...new Set([...names, ...packed])].filter((ref) => !ILLEGAL.test(ref)).map((ref) => ref.slice(prefix.length));
}

/** Every ref below `refs/` with the object that it names, packed and loose, symbolic ones left out: of many, the files are read once. */
export async function readAllRefs(directory: GitDirectory): Promise<Map<string, string>> {
  const refs = new Map<string, string>();
  for (const line of (await readText(join(directory.common, 'packed-refs')))?.split('\n') ?? []) {
    const [oid, name] = [line.slice(0, 40), line.slice(41)];
    if (OID.test(oid) && name.startsWith('refs/') && !ILLEGAL.test(name)) refs.set(name, oid);
  }
  const loose = await readdir(join(directory.common, 'refs'), { recursive: true, withFileTypes: true }).catch(() => []);
  for (const file of loose.filter((entry) => entry.isFile())) {
    const name = relative(directory.common, join(file.parentPath, file.name));
    const text = ILLEGAL.test(name) ? undefined : await looseRef(directory, name);
    if (text !== undefined && OID.test(text)) refs.set(name, text);
  }
  return refs;
}

/** The full names that a short one may stand for, in the order of gitrevisions. */
export function candidateRefs(name: string): string[] {
  return ['', 'refs/', 'refs/tags/', 'refs/heads/', 'refs/remotes/'].map((prefix) => prefix + name);
}

/** The commits at the end of a shallow clone, one a line (git's shallow page). */
export function readShallow({ common }: GitDirectory): ReadonlySet<string> {
  let text: string;
  try {
    text = readFileSync(join(common, 'shallow'), 'latin1');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return new Set();
    throw error;
  }
  return new Set(text.split('\n').filter((line) => OID.test(line)));
}

async function looseRef({ own, common }: GitDirectory, ref: string): Promise<string | undefined> {
  // Only what stands outside of refs/ (HEAD, MERGE_HEAD) belongs to a linked work tree alone.
  const file = join(ref.startsWith('refs/') ? common : own, ref);
  return (await readText(file))?.trim();
}

async function packedRef({ common }: GitDirectory, ref: string): Promise<string | undefined> {
  const lines = (await readText(join(common, 'packed-refs')))?.split('\n') ?? [];
  const oid = lines.find((line) => line.slice(41) === ref)?.slice(0, 40);
  return oid !== undefined && OID.test(oid) ? oid : undefined;
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    // A folder of that name (ENOTDIR, EISDIR) holds other refs, not this one.
    if (error instanceof Error && 'syscall' in error) return undefined;
    throw error;
  }
}
