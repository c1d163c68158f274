/**
 * A process that rotates a cluster's key and is killed after so many of its steps: `key-rotator.ts ROOT STEPS`. A step is what lasts: a
 * file that is put into place or taken away, a record, a push.
 */
import { createRequire, syncBuiltinESMExports } from 'node:module';

const [root = '', steps = ''] = process.argv.slice(2);
let isCounted = false;
let counted = 0;

async function step<Result>(work: () => Promise<Result>): Promise<Result> {
  const result = await work();
  if (isCounted && ++counted === Number(steps)) process.kill(process.pid, 'SIGKILL');
  return result;
}

const files = createRequire(import.meta.url)('node:fs/promises') as typeof import('node:fs/promises');
const { rename, link, unlink } = files;
files.rename = (...args) => step(() => rename(...args));
files.link = (...args) => step(() => link(...args));
files.unlink = (...args) => step(() => unlink(...args));
// What is imported from here on sees these.
syncBuiltinESMExports();

const { runToEnd } = await import('./keys-run.ts');
const count = (isNow: boolean) => {
  isCounted = isNow;
};
await runToEnd(root, { step, count });
