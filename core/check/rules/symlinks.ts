import { posix } from 'node:path';
import { mayHoldCoffer } from '../../format/document/document.ts';
import { type Finding, finding } from '../finding.ts';
import { contents, type Tree, type TreeFile } from '../tree.ts';

/** Links under which somebody may expect a manifest. Operators read what a commit holds, and never follow a link. */
export async function symlinkFindings(tree: Tree, links: readonly TreeFile[]): Promise<Finding[]> {
  const found: Finding[] = [];
  for await (const { file, bytes } of contents(tree, links)) {
    const target = posix.join(posix.dirname(file.path), bytes.toString('utf8'));
    if (!(await leadsToManifest(tree, file.path, target))) continue;
    found.push(
      finding(
        'CHECK_SYMLINK',
        { file: file.path },
        {
          message: 'this is a symbolic link, and operators do not follow links: nothing is projected from it',
          advice: 'Put the manifest itself here. With scope `cluster` one manifest reaches several namespaces.',
        },
      ),
    );
  }
  return found;
}

async function leadsToManifest(tree: Tree, link: string, target: string): Promise<boolean> {
  const isOutside = target === '..' || target.startsWith('../') || target.startsWith('/');
  // What is outside cannot be looked at in the index; the name has to do.
  if (isOutside) return /\.(?:ya?ml|json)$/.test(link);
  const file = tree.files.get(target);
  if (file === undefined || file.kind === 'symlink') return false;
  const [bytes] = await tree.read([file]);
  return bytes !== undefined && mayHoldCoffer(bytes);
}
