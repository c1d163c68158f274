import { compareFiles, holdsManifests } from '../git/compare-revisions.ts';
import { git } from '../git/git.ts';
import { changedFiles } from '../git/revisions.ts';
import { paint, printable } from '../output.ts';
import { renderChanges, type ShownFile, shownFile } from '../render/changes.ts';
import type { Workspace } from '../workspace/workspace.ts';
import type { Endorsement } from './endorsement.ts';

export interface Difference {
  /** Of manifests, keyring and configuration. */
  files: ShownFile[];
  /** Manifests of which no entry, reader or recipient changed: stanzas, comments or layout. */
  stanzas: string[];
  /** Changed files that hold none of these. */
  others: string[];
}

/** What an endorser stands for: what the commit changes, or all that differs from what is given up for it. */
export async function differenceFor({ root, config }: Workspace, endorsement: Endorsement): Promise<Difference> {
  const before = endorsement.before ?? (await emptyTree(root));
  const changed = await changedFiles(root, { before, after: endorsement.commit.oid }, [], false);
  const files = (await compareFiles(root, config, changed)).map(shownFile);
  const shown = new Set(files.map(({ path }) => path));
  const [stanzas, others]: [string[], string[]] = [[], []];
  for (const one of changed) {
    const path = (one.after ?? one.before)?.path ?? '';
    if (!shown.has(path)) ((await holdsManifests(root, config, one)) ? stanzas : others).push(path);
  }
  return { files, stanzas, others };
}

export function renderDifference(
  { commit, before, request }: Endorsement,
  { files, stanzas, others }: Difference,
): string {
  const against =
    request.abandons.length > 0 && before !== undefined ? `, and all that differs from ${before.slice(0, 12)}` : '';
  const lines = [
    `${paint('yellow', `commit ${commit.oid}`)}${against}`,
    `  ${printable(commit.author)}, ${printable(commit.date)}`,
    `  ${printable(commit.subject)}`,
    '',
    ...(files.length === 0 && stanzas.length > 0 ? [] : [renderChanges(files), '']),
    ...(stanzas.length === 0 ? [] : [`Only stanzas, comments or layout: ${stanzas.map(printable).join(', ')}`, '']),
    ...(others.length === 0 ? [] : [`Other files: ${others.map(printable).join(', ')}`, '']),
  ];
  return lines.slice(0, -1).join('\n');
}

async function emptyTree(root: string): Promise<string> {
  return (await git(root, ['hash-object', '-t', 'tree', '--stdin'])).toString('latin1').trim();
}
