import { spawn } from 'node:child_process';
import { CofferError, nothingFor } from '../../core/errors.ts';

/**
 * Runs the user's own git, so that its configuration, its index and its way of naming revisions count, and gives what
 * it printed. `input` goes to its standard input. Throws GIT_MISSING and GIT_FAILED.
 */
export async function git(folder: string, args: readonly string[], input?: string): Promise<Buffer> {
  const { code, output, trouble } = await run(folder, args, input);
  if (code === 0) return output;
  throw new CofferError('GIT_FAILED', `git ${args[0] ?? ''}: ${trouble.split('\n')[0] ?? ''}`, {
    advice: 'Run the git command yourself to see more.',
    data: { path: folder },
  });
}

/** What git said at standard error where it failed; undefined: it did not. Throws GIT_MISSING. */
export async function gitTrouble(folder: string, args: readonly string[]): Promise<string | undefined> {
  const { code, trouble } = await run(folder, args);
  return code === 0 ? undefined : trouble;
}

/** The same, or undefined where git says no: there is no such thing, or this is no repository. */
export async function gitOrNothing(folder: string, args: readonly string[]): Promise<Buffer | undefined> {
  const { code, output } = await run(folder, args);
  return code === 0 ? output : undefined;
}

/** Undefined also where there is no git: a container that checks an exported tree may have none. */
export function gitIfInstalled(folder: string, args: readonly string[]): Promise<Buffer | undefined> {
  return gitOrNothing(folder, args).catch(nothingFor('GIT_MISSING'));
}

/** The fields of output that was asked for with `-z`. */
export function nulSeparated(output: Buffer): string[] {
  const fields = output.toString('utf8').split('\0');
  fields.pop();
  return fields;
}

/** The blobs with these ids, in this order; undefined for one that is missing or larger than `limit` bytes. */
export async function readBlobs(
  folder: string,
  ids: readonly string[],
  limit: number,
): Promise<(Buffer | undefined)[]> {
  const sizes = (await git(folder, ['cat-file', '--batch-check=%(objectname) %(objectsize)'], lines(ids)))
    .toString('latin1')
    .split('\n');
  const wanted = ids.filter((_, index) => Number(sizes[index]?.split(' ')[1] ?? Number.NaN) <= limit);
  const output = await git(folder, ['cat-file', '--batch'], lines(wanted));
  const blobs = new Map<string, Buffer>();
  let at = 0;
  for (const id of wanted) {
    // "ID blob SIZE", a line end, the bytes, a line end.
    const end = output.indexOf('\n', at);
    const size = Number(output.toString('latin1', at, end).split(' ')[2]);
    blobs.set(id, output.subarray(end + 1, end + 1 + size));
    at = end + 1 + size + 1;
  }
  return ids.map((id) => blobs.get(id));
}

function lines(ids: readonly string[]): string {
  return ids.map((id) => `${id}\n`).join('');
}

interface Ended {
  code: number | null;
  output: Buffer;
  trouble: string;
}

function run(folder: string, args: readonly string[], input?: string): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', args, { cwd: folder, stdio: ['pipe', 'pipe', 'pipe'] });
    const output: Buffer[] = [];
    const trouble: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => trouble.push(chunk));
    child.once('error', (cause) => reject(missing(cause)));
    child.once('close', (code) => {
      resolve({ code, output: Buffer.concat(output), trouble: Buffer.concat(trouble).toString('utf8') });
    });
    // git may end before it has read everything; its exit code tells.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input ?? '');
  });
}

function missing(cause: Error): CofferError {
  return new CofferError('GIT_MISSING', 'git could not be started', {
    advice: 'Install git, or put it on the PATH.',
    cause,
  });
}
