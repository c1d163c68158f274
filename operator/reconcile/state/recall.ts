import { keyOf } from '../../project/namespaced-name.ts';
import type { Projector, SecretName } from '../../project/projector.ts';
import type { GitWatched } from './git-watched.ts';
import type { History } from './history.ts';
import type { SecretRecord, State } from './state.ts';

/**
 * What is projected in a cluster may know more than the state directory, which may be new, or that of a replica that did not lead
 * for a while: what stands beside a projection wins. Returns whether the state is the older one: then nothing of it is believed
 * until the sources were looked at, or a secret would go back to what it was, and one that came since would be pruned.
 */
export async function recall(
  projectors: readonly Projector[],
  state: State,
  git: readonly GitWatched[],
): Promise<'newest' | 'older'> {
  const histories = git.flatMap((source) => source.history() ?? []);
  let isOlder = false;
  for (const projector of projectors) {
    for (const found of projector.owned()) {
      const home = keyOf(found.namespace, found.name);
      const record: SecretRecord = state.get(home) ?? { home, retain: false };
      // Left over under a name that another manifest reaches now.
      if (record.home !== home) continue;
      const isAhead = await isNewer(found, record, histories);
      isOlder ||= isAhead;
      const next = recalled(found, record, isAhead);
      if (next !== state.get(home)) state.set(home, next);
    }
  }
  return isOlder ? 'older' : 'newest';
}

function recalled({ provenance }: SecretName, record: SecretRecord, isAhead: boolean): SecretRecord {
  if (provenance === undefined) return record;
  const { source, path, index } = provenance;
  const { owner, good, ...rest } = record;
  const isSame = owner?.source === source && owner.path === path && owner.index === index;
  if (isSame && !isAhead) return record;
  return { ...rest, owner: { source, path, index }, ...(good === undefined || isAhead ? {} : { good }) };
}

/** Whether it was projected from a commit that is neither the remembered one nor, as far as is known, before the accepted ones. */
async function isNewer(
  { provenance }: SecretName,
  { good }: SecretRecord,
  histories: readonly History[],
): Promise<boolean> {
  const commit = provenance?.commit;
  if (commit === undefined || commit === good?.commit) return false;
  for (const history of histories) if (await history.has(commit)) return false;
  return true;
}
