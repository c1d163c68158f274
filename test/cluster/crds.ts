import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
/** In this order, since the policies name a kind. */
const KINDS = 'deploy/helm/coffer/files/crd/*.yaml';
const POLICIES = 'deploy/helm/coffer/files/policy/*.yaml';

/** Applies the project's CRDs and policies, unless the same ones were the last that anybody applied. */
export async function installKinds(directory: string, kubectl: (...args: string[]) => Promise<string>): Promise<void> {
  const [kinds = [], policies = []] = [KINDS, POLICIES].map((pattern) => globSync(pattern, { cwd: ROOT }).toSorted());
  const hash = createHash('sha256');
  for (const file of [...kinds, ...policies]) hash.update(file).update(readFileSync(join(ROOT, file)));
  const digest = hash.digest('hex');
  const note = join(directory, 'installed-kinds');
  if (existsSync(note) && readFileSync(note, 'utf8') === digest) return;
  const named = (files: string[]) => files.flatMap((file) => ['-f', join(ROOT, file)]);
  const apply = ['apply', '--server-side', '--force-conflicts'];
  if (kinds.length > 0) {
    await kubectl(...apply, ...named(kinds));
    await kubectl('wait', '--for=condition=Established', '--timeout=240s', ...named(kinds));
  }
  if (policies.length > 0) await kubectl(...apply, ...named(policies));
  await writeFile(note, digest);
}
