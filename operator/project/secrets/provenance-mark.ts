import { objectOf, parseJson } from '../../../core/json.ts';
import type { ObjectMeta } from '../../kubernetes/resource.ts';
import type { Digests } from './digests.ts';
import { type Mark, PROVENANCE } from './marks.ts';

/** Of the Secret of this namespace and name. */
export function markText(place: { namespace: string; name: string }, mark: Mark, digests: Digests): string {
  const { source, path, index, commit } = mark.provenance;
  const digest = digests.ofMark(place, mark);
  return JSON.stringify({ source, path, index, namespace: mark.homeNamespace, commit, digest });
}

/**
 * `undefined`: there is none that the operator wrote for this Secret. Whoever may write Secrets in one namespace could else give the
 * names of another to a manifest of theirs: the name of a field manager is the client's to choose.
 */
export function readMark({ namespace: place = '', name, annotations }: ObjectMeta, digests: Digests): Mark | undefined {
  const text = annotations?.[PROVENANCE];
  if (text === undefined) return undefined;
  const { source, path, index, namespace, commit, digest } = objectOf(parseJson(text));
  if (typeof source !== 'string' || typeof path !== 'string' || typeof namespace !== 'string') return undefined;
  if (typeof index !== 'number') return undefined;
  const provenance = { source, path, index, ...(typeof commit === 'string' ? { commit } : {}) };
  const mark = { homeNamespace: namespace, provenance };
  return digest === digests.ofMark({ namespace: place, name }, mark) ? mark : undefined;
}
