/** Builds a Go part once per pinned version, however many test processes ask for it at the same moment. */

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { GoRecipe } from './recipes.ts';

const run = promisify(execFile);

/**
 * The lock is the kernel's (flock), so that a killed test leaves none behind, and the rename makes the binary appear
 * whole or not at all: after what it needs beside it, of a module that is kept read-only.
 */
const BUILD_ONCE = `
set -e
binary=$1 go=$2 package=$3 stamp=$4 module=$5
[ -x "$binary" ] && exit 0
"$go" build -mod=readonly -trimpath -ldflags "-s -w $stamp" -o "$binary.$$" "$package"
shift 5
for folder; do
  beside="$(dirname "$binary")/$folder"
  rm -rf "$beside"
  cp -R "$("$go" list -mod=readonly -m -f '{{.Dir}}' "$module")/$folder" "$beside"
  chmod -R u+w "$beside"
done
mv "$binary.$$" "$binary"
`;

/** Path of the built binary. Rejects with the compiler's or the downloader's words when it cannot be built. */
export async function buildGoPart(name: string, recipe: GoRecipe, go: string): Promise<string> {
  const moduleDirectory = join(import.meta.dirname, recipe.module);
  const folder = join(cacheDirectory(), `${recipe.module}-${await pinnedVersion(moduleDirectory)}`);
  await mkdir(folder, { recursive: true });
  const binary = join(folder, name);
  const stamp = recipe.stamp ? `-X ${recipe.stamp.variable}=${await pin(moduleDirectory, recipe.stamp.version)}` : '';
  const { module = '', folders = [] } = recipe.beside ?? {};
  const parameters = [binary, go, recipe.package, stamp, module, ...folders];
  await run('flock', [`${binary}.lock`, 'sh', '-c', BUILD_ONCE, 'build-once', ...parameters], {
    cwd: moduleDirectory,
    env: { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' },
    maxBuffer: 64 * 1024 * 1024,
  });
  return binary;
}

function cacheDirectory(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'coffer-parts');
}

/** Changes with go.mod and go.sum, so that a moved pin never finds an old binary. */
async function pinnedVersion(moduleDirectory: string): Promise<string> {
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum']) hash.update(await readFile(join(moduleDirectory, file)));
  return hash.digest('hex').slice(0, 12);
}

/** The version of a module that go.mod requires. */
async function pin(moduleDirectory: string, module: string): Promise<string> {
  const lines = (await readFile(join(moduleDirectory, 'go.mod'), 'utf8')).split('\n');
  const version = lines
    .map((line) =>
      line
        .trim()
        .replace(/^require /, '')
        .split(' '),
    )
    .find(([name]) => name === module)?.[1];
  if (!version) throw new Error(`${moduleDirectory}/go.mod requires no ${module}`);
  return version;
}
