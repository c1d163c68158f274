import { compareFiles } from '../git/compare-revisions.ts';
import { git } from '../git/git.ts';
import { changedFiles } from '../git/revisions.ts';
import { paint, printable } from '../output.ts';
import { renderChanges, type ShownFile, shownFile } from '../render/changes.ts';
import type { Workspace } from '../workspace/workspace.ts';
import type { Endorsement } from './endorsement.ts';

export interface Difference {
  /** Of manifests, keyring and configuration. */
  files: ShownFile[];
  /** Changed files that hold none of these. */
  others: string[];
}

/** What an endorser stands for: what the commit changes, or all that differs from what is given up for it. */
export async function differenceFor({ root, config }: Workspace, endorsement: Endorsement): Promise<Difference> {
  const before = endorsement.before ?? (await emptyTree(root));
  const changed = await changedFiles(root, { before, after: endorsement.commit.oid }, [], false);
  const files = (await compareFiles(root, config, changed)).map(shownFile);
  const shown = new Set(files.map(({ path }) => path));
  const others = changed.map(({ before, after }) => (after ?? before)?.path ?? '').filter((path) => !shown.has(path));
  return { files, others };
}

export function renderDifference({ commit, before, request }: Endorsement, { files, others }: Difference): string {
  const against =
    request.abandons.length > 0 && before !== undefined ? `, and all that differs from ${before.slice(0, 12)}` : '';
  const lines = [
    `${paint('yellow', `commit ${commit.oid}`)}${against}`,
    `  ${printable(commit.author)}, ${printable(commit.date)}`,
    `  ${printable(commit.subject)}`,
    '',
    renderChanges(files),
  ];
  if (others.length > 0) lines.push('', `Other files: ${others.map(printable).join(', ')}`);
  return lines.join('\n');
}

async function emptyTree(root: string): Promise<string> {
  return (await git(root, ['hash-object', '-t', 'tree', '--stdin'])).toString('latin1').trim();
}
