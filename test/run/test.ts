/**
 * Runs the tests: every `*.test.ts`, or those whose path contains one of the arguments.
 * `npm test` builds first, since many tests run the programs of `dist/`.
 */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
/** Longer than any test takes on two cores; one that hangs is named instead of holding the run for ever. */
const TIMEOUT_MS = 10 * 60 * 1000;

const wanted = process.argv.slice(2);
const files = globSync('*/**/*.test.ts', { cwd: ROOT, exclude: ['node_modules', 'dist'] })
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .toSorted();
if (files.length === 0) {
  console.error(`no test file has ${wanted.join(' or ')} in its path`);
  process.exit(2);
}

// Node's own choice leaves one core idle, which on two cores is half of them.
const options = ['--test', `--test-concurrency=${availableParallelism()}`, `--test-timeout=${TIMEOUT_MS}`];
const runner = spawn(process.execPath, [...options, ...files], { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
runner.on('close', (code, signal) => {
  if (signal) console.error(`the test runner was ended by ${signal}`);
  process.exitCode = code ?? 1;
});
