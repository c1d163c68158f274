import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import { cast } from './make/cast.ts';
import { encodings } from './make/encodings.ts';
import { groupSeeds } from './make/group-seeds.ts';
import { keys } from './make/keys.ts';
import { manifests } from './make/manifests.ts';
import { recipients } from './make/recipients.ts';
import { stanzas } from './make/stanzas.ts';
import { templates } from './make/templates.ts';
import { values } from './make/values.ts';

/** `node test/vectors/generate.ts` writes the vectors; with `--check` it says which of them are not up to date. */

await sodiumReady();
const players = cast();
const files: Record<string, object> = {
  'encodings.json': encodings(),
  'group-seeds.json': groupSeeds(players),
  'keys.json': keys(players),
  'manifests.json': manifests(players),
  'recipients.json': recipients(players),
  'stanzas.json': stanzas(players),
  'templates.json': templates(),
  'values.json': values(),
};

const check = process.argv.includes('--check');
for (const [name, content] of Object.entries(files)) {
  const file = join(import.meta.dirname, name);
  const text = `${JSON.stringify(content, undefined, 2)}\n`;
  if (!check) {
    await writeFile(file, text);
  } else if ((await readFile(file, 'utf8')) !== text) {
    process.stderr.write(`test/vectors/${name} is not what generate.ts makes\n`);
    process.exitCode = 1;
  }
}
