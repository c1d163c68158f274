import { matchesWildcard } from '../../wildcard.ts';
import type { Manifest } from './manifest.ts';

/**
 * Whether a manifest is projected into a namespace: its own, and with scope cluster those that `namespaces` names or
 * matches (docs/format.md, "A manifest").
 */
export function reaches(manifest: Pick<Manifest, 'namespace' | 'namespaces' | 'binding'>, namespace: string): boolean {
  if (manifest.namespace === namespace) return true;
  if (manifest.binding.scope !== 'cluster') return false;
  return manifest.namespaces.some((glob) => matches(glob, namespace));
}

/** Whether a namespace is the name or matches the glob. */
export function matches(glob: string, namespace: string): boolean {
  return matchesWildcard(glob, namespace);
}
