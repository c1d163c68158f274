/** Builds parts ahead of the tests, with visible progress: `node test/parts/build.ts [PART...]`, without names all of them. */

import { findPart, type PartName } from './parts.ts';
import { RECIPES } from './recipes.ts';

const names = Object.keys(RECIPES) as PartName[];
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !names.some((known) => known === name));
if (unknown.length > 0) {
  console.error(`no such part: ${unknown.join(', ')}; there are ${names.join(', ')}`);
  process.exit(2);
}
const isWanted = (name: PartName) => (wanted.length > 0 ? wanted.includes(name) : RECIPES[name].kind === 'go');
for (const name of names.filter(isWanted)) {
  process.stdout.write(`${name} … `);
  const started = performance.now();
  const found = await findPart(name);
  console.log(found ? `${found} (${((performance.now() - started) / 1000).toFixed(1)} s)` : 'MISSING');
  if (!found) process.exitCode = 1;
}
