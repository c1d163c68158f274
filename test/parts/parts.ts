/**
 * Finds the real programs that tests, demo and bench run: a variable that names it (`COFFER_PART_EJSON=/path`), the PATH,
 * a build from its pinned Go module into a cache outside git. A test whose part is missing is skipped and says so;
 * `COFFER_REQUIRE_PARTS=1`, which CI sets, turns the skip into a failure.
 */

import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { buildGoPart } from './build-part.ts';
import { type GoRecipe, type InstalledRecipe, type PartName, RECIPES } from './recipes.ts';

export type { PartName } from './recipes.ts';

const run = promisify(execFile);

type Search = { found: string } | { missing: string };

const searches = new Map<PartName, Promise<Search>>();

/** Path of the program, or undefined where it is absent and cannot be built. Rejects if its variable names no program. */
export async function findPart(name: PartName): Promise<string | undefined> {
  const search = await searchOnce(name);
  return 'found' in search ? search.found : undefined;
}

/** As `findPart`, but marks the test `t` as skipped, with what installs the part, before it returns undefined. */
export async function partOrSkip(t: TestContext, name: PartName): Promise<string | undefined> {
  const search = await searchOnce(name);
  if ('found' in search) return search.found;
  const message = `MISSING PART ${name}: ${search.missing}`;
  if (process.env.COFFER_REQUIRE_PARTS === '1') throw new Error(`${message} (COFFER_REQUIRE_PARTS=1 requires it)`);
  process.stderr.write(`${message}\n`);
  t.skip(message);
  return undefined;
}

/** The variable that names a part: `COFFER_PART_GIT_HTTP_BACKEND`. */
export function partVariable(name: PartName): string {
  return `COFFER_PART_${name.toUpperCase().replaceAll('-', '_')}`;
}

function searchOnce(name: PartName): Promise<Search> {
  const search = searches.get(name) ?? searchFor(name);
  searches.set(name, search);
  return search;
}

async function searchFor(name: PartName): Promise<Search> {
  const variable = partVariable(name);
  const named = process.env[variable];
  if (named) {
    if (await isExecutable(named)) return { found: named };
    throw new Error(`${variable} names ${named}, which is not a program`);
  }
  const recipe: GoRecipe | InstalledRecipe = RECIPES[name];
  const onPath = await findIn((process.env.PATH ?? '').split(delimiter), name);
  if (onPath && (await suits(onPath, recipe))) return { found: onPath };
  if (recipe.kind === 'installed') {
    const elsewhere = await findIn(recipe.folders ?? [], name);
    return elsewhere ? { found: elsewhere } : { missing: `set ${variable}, or install it: ${recipe.installed}` };
  }
  const go = await findPart('go');
  if (!go) return { missing: `set ${variable}, or install Go, which builds ${recipe.package} from test/parts/` };
  try {
    return { found: await buildGoPart(name, recipe, go) };
  } catch (error) {
    const lastWords = String(error).trim().split('\n').slice(-3).join(' / ');
    return { missing: `set ${variable}; building ${recipe.package} failed: ${lastWords}` };
  }
}

async function findIn(folders: string[], name: string): Promise<string | undefined> {
  for (const folder of folders) {
    const candidate = join(folder, name);
    if (folder !== '' && (await isExecutable(candidate))) return candidate;
  }
  return undefined;
}

async function suits(program: string, recipe: GoRecipe | InstalledRecipe): Promise<boolean> {
  const wanted = recipe.kind === 'go' ? recipe.onPath : undefined;
  if (!wanted) return true;
  const { stdout } = await run(program, wanted.ask).catch(() => ({ stdout: '' }));
  return wanted.says.test(stdout);
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
