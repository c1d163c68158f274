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

/** Whether a namespace is the name or matches the glob: `*` any number of characters, `?` one. Linear: the pattern holds nothing but literals, `.` and `.*?` over at most 63 characters. */
export function matches(glob: string, namespace: string): boolean {
  let row = [true, ...Array.from(namespace, () => false)];
  for (const token of glob) {
    const next = [token === '*' && row[0] === true];
    for (let at = 1; at <= namespace.length; at++) {
      const before = row[at - 1] === true;
      next[at] =
        token === '*'
          ? next[at - 1] === true || row[at] === true
          : before && (token === '?' || token === namespace[at - 1]);
    }
    row = next;
  }
  return row[namespace.length] === true;
}
