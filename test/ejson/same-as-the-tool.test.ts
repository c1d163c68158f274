import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { decryptEjson } from '../../core/ejson/decrypter.ts';
import { eachString, readEjson } from '../../core/ejson/document.ts';
import { encryptEjson } from '../../core/ejson/encrypter.ts';
import { CofferError } from '../../core/errors.ts';
import { partOrSkip } from '../parts/parts.ts';
import { generatedFiles } from './generated-files.ts';
import { RealEjson } from './real-tool.ts';

const FILES = 4000;
const SEED = Number(process.env.COFFER_EJSON_SEED ?? 20261121);

const folder = mkdtempSync(join(tmpdir(), 'coffer-ejson-'));
after(() => rmSync(folder, { recursive: true }));

describe(`over ${FILES} generated files (COFFER_EJSON_SEED=${SEED})`, () => {
  test('coffer and the ejson tool write the same bytes around the values and open what the other sealed', async (t) => {
    const program = await partOrSkip(t, 'ejson');
    if (program === undefined) return;
    const tool = await RealEjson.open(program, folder);
    const texts = generatedFiles(FILES, SEED).map((text) => text.replace('{public key}', tool.keypair.publicText));
    const byTool = tool.encryptAll(texts);

    const pairs: { opened: Buffer; sealed: string }[] = [];
    let refused = 0;
    for (const [index, text] of texts.entries()) {
      const toolText = byTool[index] ?? Buffer.alloc(0);
      const sealed = sealUnlessRefused(text);
      if (sealed === undefined) {
        refused += 1;
        assert.ok(leavesPlaintext(toolText), `file ${index} was refused, but the tool seals all of it:\n${text}`);
        continue;
      }
      // Whitespace after the document is the tool's only loss among these files: docs/ejson.md.
      assert.equal(withoutBoxes(sealed), withoutBoxes(toolText.toString()) + lostByTool(text), `file ${index}`);
      const opened = decryptEjson(readEjson(toolText, 'by tool', { multiline: false }), tool.keypair);
      assert.deepEqual(JSON.parse(opened.toString()), JSON.parse(withLineEndsEscaped(text)), `file ${index}`);
      pairs.push({ opened, sealed });
    }
    assert.ok(pairs.length > FILES / 2 && refused > FILES / 100, `${pairs.length} compared, ${refused} refused`);
    t.diagnostic(`${pairs.length} files compared, ${refused} refused because the tool would leave plaintext in them`);

    await t.test('with many documents inside one, the tool opens what coffer sealed, byte for byte', () => {
      const wrap = (documents: string[]) =>
        `{"_public_key":"${tool.keypair.publicText}",${documents.map((text, index) => `"${index}":${text.trim()}`).join(',')}}\n`;
      const { status, stdout, stderr } = tool.decrypt(wrap(pairs.map(({ sealed }) => sealed)));
      assert.equal(status, 0, stderr);
      assert.equal(stdout.toString(), wrap(pairs.map(({ opened }) => opened.toString())));
    });

    await t.test('file by file, the tool opens what coffer sealed, byte for byte', () => {
      for (const { sealed, opened } of pairs.filter((_, index) => index % 20 === 0)) {
        assert.equal(tool.decrypt(sealed).stdout.toString(), opened.toString());
      }
    });
  });
});

function sealUnlessRefused(text: string): string | undefined {
  try {
    return encryptEjson(Buffer.from(text), 'generated').text;
  } catch (error) {
    assert.ok(error instanceof CofferError && error.code === 'EJSON_UNDERSCORE_LEAK', String(error));
    return undefined;
  }
}

function leavesPlaintext(toolText: Buffer): boolean {
  let leaves = false;
  eachString(readEjson(toolText, 'by tool', { multiline: false }), (token) => {
    const { role, start, end, afterUnderscore, underUnderscore } = token;
    if (role === 'key' || !afterUnderscore || underUnderscore) return;
    if (withoutBoxes(toolText.subarray(start, end).toString()) !== '"BOX"') leaves = true;
  });
  return leaves;
}

function withoutBoxes(text: string): string {
  return text.replace(/"EJ\[1:[A-Za-z0-9+/=]{44}:[A-Za-z0-9+/=]{32}:[A-Za-z0-9+/=]+\]"/g, '"BOX"');
}

/** The tool keeps one byte after the last brace. */
function lostByTool(text: string): string {
  return text.slice(text.lastIndexOf('}') + 2);
}

function withLineEndsEscaped(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"/gs, (token) => token.replaceAll('\n', '\\n').replaceAll('\r', '\\r'));
}
