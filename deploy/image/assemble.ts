/**
 * Lays out what the image holds, in a folder: the operator and the node plugin with the chunks that they load, and no
 * command of the CLI. `node deploy/image/assemble.ts FOLDER`, after `npm run build`.
 */
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
const PROGRAMS = ['coffer-operator.js', 'coffer-node.js'];

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: node deploy/image/assemble.ts FOLDER');
  process.exit(2);
}

/** What a bundled file loads, at once or later. */
function importsOf(source: string): string[] {
  return Array.from(
    source.matchAll(/(?:from|import\(|import)\s*["'`]\.\/([^"'`]+\.js)["'`]/g),
    ([, file = '']) => file,
  );
}

const wanted = new Set(PROGRAMS);
for (const file of wanted) {
  for (const imported of importsOf(await readFile(join(ROOT, 'dist', file), 'utf8'))) wanted.add(imported);
}
await mkdir(folder, { recursive: true });
for (const file of wanted) await copyFile(join(ROOT, 'dist', file), join(folder, file));
await copyFile(join(ROOT, 'LICENSE'), join(folder, 'LICENSE'));
await writeFile(join(folder, 'package.json'), '{"type":"module"}\n');
// For `kubectl exec … coffer-operator accept`: the image has no env that would find node.
await mkdir(join(folder, 'bin'), { recursive: true });
const launcher = "#!/usr/bin/node\nimport '../coffer-operator.js';\n";
await writeFile(join(folder, 'bin', 'coffer-operator'), launcher, { mode: 0o755 });
