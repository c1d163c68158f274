import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
/** The kinds first, since the policies name one. */
const INSTALLED = ['deploy/helm/coffer/files/crd/*.yaml', 'deploy/helm/coffer/files/policy/*.yaml'];

/** Applies the project's CRDs and policies, unless the same ones were the last that anybody applied. */
export async function installKinds(directory: string, kubectl: (...args: string[]) => Promise<string>): Promise<void> {
  const groups = INSTALLED.map((pattern) => globSync(pattern, { cwd: ROOT }).toSorted());
  const hash = createHash('sha256');
  for (const file of groups.flat()) hash.update(file).update(readFileSync(join(ROOT, file)));
  const digest = hash.digest('hex');
  const note = join(directory, 'installed-kinds');
  const last = await readFile(note, 'utf8').catch(() => '');
  if (last === digest) return;
  for (const files of groups.filter((group) => group.length > 0)) {
    const names = files.flatMap((file) => ['-f', join(ROOT, file)]);
    await kubectl('apply', '--server-side', '--force-conflicts', ...names);
    await kubectl('wait', '--for=condition=Established', '--all', 'crd', '--timeout=30s');
  }
  await writeFile(note, digest);
}
