/**
 * Runs the tests: every `*.test.ts`, or those whose path contains one of the arguments.
 * `npm test` builds first, since many tests run the programs of `dist/`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CLUSTER_PARTS, type Cluster, startCluster } from '../cluster/cluster.ts';
import { SHARED_CLUSTER } from '../cluster/shared.ts';
import { findPart } from '../parts/parts.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const LIMIT = pathToFileURL(join(import.meta.dirname, 'limit.ts'));
/** Longer than any test takes on two cores that others use too; one that hangs is named instead of holding the run for ever. */
const TIMEOUT_MS = 20 * 60 * 1000;

const wanted = process.argv.slice(2);
const files = globSync('*/**/*.test.ts', { cwd: ROOT, exclude: ['node_modules', 'dist'] })
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .toSorted();
if (files.length === 0) {
  console.error(`no test file has ${wanted.join(' or ')} in its path`);
  process.exit(2);
}

const interrupted = new AbortController();
let runner: ChildProcess | undefined;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    interrupted.abort();
    runner?.kill(signal);
  });
}

const cluster = await clusterForAll();
try {
  process.exitCode = interrupted.signal.aborted ? 130 : await runTests(cluster);
} finally {
  await cluster?.stop();
}

/** The one that the test files share, unless none of them does, the developer keeps one, or a part is missing. */
async function clusterForAll(): Promise<Cluster | undefined> {
  const isShared = files.some((file) => readFileSync(join(ROOT, file), 'utf8').includes('sharedCluster('));
  if (!isShared || process.env[SHARED_CLUSTER]) return undefined;
  const started = performance.now();
  // The tests themselves say which part is missing.
  for (const part of CLUSTER_PARTS) if (!(await findPart(part))) return undefined;
  const cluster = await startCluster();
  console.log(`a Kubernetes API server for the tests started in ${Math.round(performance.now() - started)} ms`);
  return cluster;
}

function runTests(cluster: Cluster | undefined): Promise<number> {
  // Node's own choice leaves one core idle, which on two cores is half of them.
  const options = [
    `--import=${LIMIT}`,
    '--test',
    `--test-concurrency=${availableParallelism()}`,
    `--test-timeout=${TIMEOUT_MS}`,
  ];
  const env = cluster ? { ...process.env, [SHARED_CLUSTER]: cluster.directory } : process.env;
  const child = spawn(process.execPath, [...options, ...files], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  runner = child;
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      if (signal) console.error(`the test runner was ended by ${signal}`);
      resolve(code ?? 1);
    });
  });
}
