import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { loadAll } from 'js-yaml';
import { Config } from '../../schemas/config.ts';
import { EncryptedSecret } from '../../schemas/encrypted-secret.ts';
import { OperatorConfig } from '../../schemas/operator-config.ts';
import { Recipient } from '../../schemas/recipient.ts';
import { Request } from '../../schemas/request.ts';
import { TrustPolicy } from '../../schemas/trust-policy.ts';
import { validate } from '../../schemas/validate.ts';
import { ROOT, readPages } from './pages.ts';

const SCHEMAS = { EncryptedSecret, Recipient, Config, OperatorConfig, Request, TrustPolicy };

/** What pages write in place of long random text, and something of the right shape. */
const PLACEHOLDERS: [RegExp, string][] = [
  [/<data key id>/g, 'A'.repeat(32)],
  [/<kid>/g, '0'.repeat(32)],
  [/<sealed data key>/g, 'A'.repeat(1558)],
  [/<sealed value>/g, 'A'.repeat(96)],
  [/<public key>/g, 'A'.repeat(1627)],
  [/<identity>/g, 'A'.repeat(48)],
  [/<endorsement>/g, 'A'.repeat(86)],
];

function documentsIn(text: string): unknown[] {
  return loadAll(PLACEHOLDERS.reduce((filled, [placeholder, sample]) => filled.replaceAll(placeholder, sample), text));
}

function checkDocument(document: unknown, where: string): void {
  if (typeof document !== 'object' || document === null || !('apiVersion' in document) || !('kind' in document)) return;
  if (!String(document.apiVersion).startsWith('coffer.dev/')) return;
  const schema = SCHEMAS[document.kind as keyof typeof SCHEMAS];
  assert.ok(schema, `${where}: unknown kind ${document.kind}`);
  assert.deepEqual(validate(schema, document), [], where);
}

describe('an example in the documentation is valid', () => {
  for (const page of readPages()) {
    const blocks = page.blocks.filter(({ language }) => language === 'yaml' || language === 'json');
    if (blocks.length === 0) continue;
    test(page.file, () => {
      for (const { language, line, text } of blocks) {
        const where = `${page.file}:${line}`;
        for (const document of language === 'json' ? [JSON.parse(text)] : documentsIn(text))
          checkDocument(document, where);
      }
    });
  }
});

describe('a file of examples/ is valid', () => {
  for (const file of globSync('examples/**/*.{yaml,yml,json}', { cwd: ROOT })) {
    test(file, () => {
      for (const document of loadAll(readFileSync(join(ROOT, file), 'utf8'))) checkDocument(document, file);
    });
  }
});
