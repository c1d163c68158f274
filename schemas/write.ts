/**
 * Writes the JSON Schemas of this folder to `schemas/json/`: what editors read, and what coffer validates with (so that
 * it need not load the library that builds them). `--check` writes nothing and fails if one of them is stale.
 */
import { readFile, writeFile } from 'node:fs/promises';
import type { TSchema } from 'typebox';
import { Config } from './config.ts';
import { EncryptedSecret } from './encrypted-secret.ts';
import { OperatorConfig } from './operator-config.ts';
import { Recipient } from './recipient.ts';

const FILES: Readonly<Record<string, TSchema>> = {
  'encrypted-secret': EncryptedSecret,
  recipient: Recipient,
  config: Config,
  'operator-config': OperatorConfig,
};

const check = process.argv.includes('--check');
for (const [name, schema] of Object.entries(FILES)) {
  const file = new URL(`json/${name}.schema.json`, import.meta.url);
  const { $id, ...rest } = JSON.parse(JSON.stringify(schema)) as Record<string, unknown>;
  const draft = 'https://json-schema.org/draft/2020-12/schema';
  const text = `${JSON.stringify({ $schema: draft, $id, ...rest }, null, 2)}\n`;
  if (!check) {
    await writeFile(file, text);
  } else if ((await readFile(file, 'utf8').catch(() => '')) !== text) {
    console.error(`schemas/json/${name}.schema.json is stale: run npm run schemas`);
    process.exitCode = 1;
  }
}
