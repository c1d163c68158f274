import { reaches } from '../../../core/format/manifest/reach.ts';
import { type Key, keyOf, namesOf } from '../../project/namespaced-name.ts';

/** The keys of a manifest of scope cluster: its home, and its name in each of `namespaces` that `further` names or matches. */
export function reachOf(home: Key, further: readonly string[], namespaces: Iterable<string>): Key[] {
  const { namespace, name } = namesOf(home);
  const manifest = { namespace, namespaces: further, binding: { scope: 'cluster', namespace, name } } as const;
  const reached = new Set([home]);
  for (const candidate of namespaces) if (reaches(manifest, candidate)) reached.add(keyOf(candidate, name));
  return [...reached];
}
