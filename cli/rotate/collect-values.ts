import { CofferError } from '../../core/errors.ts';
import { parseSealedValue } from '../../core/format/sealed/value.ts';
import type { Proposal, ProposedValue } from '../../core/rotation/proposal.ts';
import { proposalId } from '../../core/rotation/proposal-id.ts';
import { fetchProposal } from '../published/fetch-proposal.ts';
import type { PublishedPlace } from '../published/place.ts';
import { applyToWorkingTree } from '../published/working-tree.ts';
import { manifestFiles } from '../recipients/manifest-files.ts';
import type { Workspace } from '../workspace/workspace.ts';
import { foreignValues } from './foreign-values.ts';

export interface CollectWanted {
  /** Absent: the rotating cluster. */
  cluster: string | undefined;
  /** From the root; absent: all files. */
  path: string | undefined;
  entry: string | undefined;
  dryRun: boolean;
  place: PublishedPlace;
}

export interface Collected {
  cluster: string;
  /** What the operator proposes: NAMESPACE/NAME → entries, ENTRY.previous among them. */
  proposed: Record<string, string[]>;
  /** Paths that were written, from the root; with `dryRun` that would be. */
  files: string[];
  /** What nothing could be made of: path → why. */
  refused: Record<string, string>;
}

/**
 * Puts into the working tree the values that the operator of the rotating cluster made, and signed: those that still replace what they
 * were made to replace, in entries that the manifest says are rotated. Its keys and stanzas are `coffer recipients rewrap`'s.
 *
 * @throws CofferError ROTATE_NO_CLUSTER, ROTATE_FOREIGN, what `fetchProposal` throws
 */
export async function collectValues(workspace: Workspace, wanted: CollectWanted): Promise<Collected> {
  const cluster = wanted.cluster ?? workspace.config.rotatingCluster;
  if (cluster === undefined) throw noCluster();
  const published = await fetchProposal(workspace, proposalId('values', cluster), cluster, wanted.place);
  if (published === undefined) return { cluster, proposed: {}, files: [], refused: {} };
  const proposal = narrowed(published, wanted);
  await refuseForeign(workspace, proposal.values, cluster);
  const files = await applyToWorkingTree(workspace, proposal, { isDry: wanted.dryRun });
  const groups = Object.groupBy(proposal.values, ({ namespace, name }) => `${namespace}/${name}`);
  const proposed = Object.entries(groups).map(([title, values = []]) => [title, values.map(({ entry }) => entry)]);
  return { cluster, proposed: Object.fromEntries(proposed), files, refused: Object.fromEntries(published.refused) };
}

/** Values alone, with the stanzas of their own data keys; of one manifest all or none, since they belong together. */
function narrowed(proposal: Proposal, { path, entry }: CollectWanted): Proposal {
  const titleOf = ({ path: of, namespace, name }: ProposedValue) => `${of} ${namespace}/${name}`;
  const asked = proposal.values.filter(
    (value) => (path === undefined || value.path === path) && (entry === undefined || value.entry === entry),
  );
  const titles = new Set(asked.map(titleOf));
  const values = proposal.values.filter((value) => titles.has(titleOf(value)));
  const dataKeyIds = new Set(
    values.flatMap(({ text }) => (text === undefined ? [] : parseSealedValue(text).dataKeyId)),
  );
  const stanzas = new Map([...proposal.stanzas].filter(([id]) => dataKeyIds.has(id)));
  const { id, cluster, commit } = proposal;
  return { id, cluster, commit, stanzas, values, fulfils: [], refused: new Map() };
}

/** A sealed value looks like any other, so nobody would see in a review that it is of another entry. */
async function refuseForeign(workspace: Workspace, values: readonly ProposedValue[], cluster: string): Promise<void> {
  const paths = new Set(values.map(({ path }) => path));
  for await (const { path, file } of manifestFiles(workspace, () => undefined)) {
    if (!paths.has(path)) continue;
    for (const manifest of file.manifests) {
      const { namespace, name } = manifest;
      const own = values.filter((one) => one.path === path && one.namespace === namespace && one.name === name);
      const [foreign] = foreignValues(manifest, own);
      if (foreign !== undefined) throw notRotated(foreign, cluster);
    }
  }
}

function notRotated({ path, namespace, name, entry, text }: ProposedValue, cluster: string): CofferError {
  const what =
    text === undefined ? `to take ${entry} away` : `a value for ${entry}, which this manifest does not rotate`;
  return new CofferError('ROTATE_FOREIGN', `${cluster} proposes ${what}.`, {
    advice: `Where a rotator sets this entry beside its own, list it under spec.rotation. Else the operator of ${cluster} would not do that: find out whether spec.rotation was just changed, and who runs it.`,
    data: { file: path, namespace, name, entry },
    exit: 1,
  });
}

function noCluster(): CofferError {
  return new CofferError('ROTATE_NO_CLUSTER', 'Nothing says whose operator rotates the values of this repository.', {
    advice: 'Name it with --cluster, or as rotatingCluster in .coffer/config.yaml.',
    exit: 2,
  });
}
