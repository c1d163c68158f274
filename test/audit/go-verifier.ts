import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { partOrSkip } from '../parts/parts.ts';
import { verifierKey } from './written-log.ts';

const run = promisify(execFile);
const SOURCE = join(import.meta.dirname, 'verifier');

/** What the independent verifier prints: `ok SIZE ROOT`, or what is wrong. */
export type GoVerifier = (
  log: { directory: string; origin: string; publicKey: Buffer },
  ...args: string[]
) => Promise<string>;

const folder = mkdtempSync(join(tmpdir(), 'coffer-verifier-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let built: Promise<string> | undefined;

/** The program, built once a process; undefined where the test was skipped. Its one module is fetched when it is not there yet. */
export async function goVerifier(t: TestContext): Promise<GoVerifier | undefined> {
  const go = await partOrSkip(t, 'go');
  if (go === undefined) return undefined;
  built ??= build(go);
  const program = await built;
  return async ({ directory, origin, publicKey }, ...args) => {
    const { stdout } = await run(program, [...args, verifierKey(origin, publicKey), directory]).catch(unlessRefused);
    return stdout.trimEnd();
  };
}

async function build(go: string): Promise<string> {
  const program = join(folder, 'verifier');
  const env = { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly' };
  await run(go, ['build', '-o', program, '.'], { cwd: SOURCE, env });
  return program;
}

/** It exits with 1, and says on standard output why. */
function unlessRefused(error: Error & { code?: unknown; stdout?: string }): { stdout: string } {
  if (error.code === 1 && error.stdout) return { stdout: error.stdout };
  throw error;
}
