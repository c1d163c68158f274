/**
 * A workload that looks at its entries all the time. Entries whose names end in a digit exist in one version in two; every
 * entry's content is its set's version. Sends a word when it begins and when it has looked a hundred times, and at the end, which
 * a message asks for, what it saw that no single version explains.
 */
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder = ''] = process.argv.slice(2);
const mixtures: string[] = [];
let looks = 0;
let isRunning = true;

process.once('message', () => {
  isRunning = false;
});
process.once('disconnect', () => process.exit());
process.send?.('ready');
for (let time = 1; isRunning; time++) {
  look();
  if (time === 100) process.send?.('looked often');
  if (time % 50 > 0) continue;
  await new Promise((resolve) => setImmediate(resolve));
}
process.send?.({ looks, mixtures });
process.disconnect?.();

function look(): void {
  // As programs that care do: pin the set by its folder, then read from there.
  const pinned = pin();
  if (pinned === undefined) return;
  try {
    const versions = new Set(
      readdirSync(`/proc/self/fd/${pinned}`).map((name) => read(`/proc/self/fd/${pinned}/${name}`)),
    );
    versions.delete(undefined);
    if (versions.size > 1) mixtures.push([...versions].join());
  } finally {
    closeSync(pinned);
  }
  // As others do: by path. An entry of the old set that is gone and one of the new set that is not there yet is a mixture.
  const even = read(join(folder, 'only-0'));
  const odd = read(join(folder, 'only-1'));
  const later = read(join(folder, 'a'));
  if (even === undefined && odd === undefined && later === undefined) mixtures.push('nothing at all');
  if (even !== undefined && Number(even) % 2 !== 0) mixtures.push(`only-0 of version ${even}`);
  if (odd !== undefined && Number(odd) % 2 !== 1) mixtures.push(`only-1 of version ${odd}`);
  looks++;
}

function pin(): number | undefined {
  try {
    return openSync(join(folder, '..data'), 'r');
  } catch {
    mixtures.push('no set');
    return undefined;
  }
}

/** undefined: not there. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
