import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from '../../../test/support/properties.ts';
import { jsonNodes } from './json-nodes.ts';
import type { Node } from './node.ts';
import { NodeSyntaxError } from './node-syntax-error.ts';

function plain(node: Node): unknown {
  if (node.kind === 'mapping') {
    return Object.fromEntries(node.pairs.map(({ key, value }) => [plain(key), plain(value)]));
  }
  if (node.kind === 'sequence') return node.items.map(plain);
  if (node.kind === 'alias') return undefined;
  return node.style === 'plain' ? JSON.parse(node.text) : node.text;
}

/** Undefined: refused. */
function parsed(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

describe('JSON as nodes', () => {
  test('reads what JSON.parse reads, to the same values', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(undefined, 1, '\t'), (text, space) => {
        const spaced = JSON.stringify(JSON.parse(text), undefined, space);
        assert.deepEqual(
          plain(jsonNodes(spaced, 64)),
          JSON.parse(spaced, (key, value) => (key === '__proto__' ? undefined : value)),
        );
      }),
    );
  });

  test('refuses what JSON.parse refuses, and nothing else', () => {
    const token = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"',
      '\\',
      '1',
      '-',
      '.',
      'e',
      'true',
      'nul',
      ' ',
      '\n',
      '\t',
      '0',
      '/',
      '#',
      "'",
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 12 }), (tokens) => {
        const text = tokens.join('');
        if (parsed(text) !== undefined) jsonNodes(text, 64);
        else assert.throws(() => jsonNodes(text, 64), NodeSyntaxError);
      }),
      { numRuns: 3000 },
    );
  });

  test('knows where every node stands', () => {
    const text = '{ "a" : [1, "x\\n"], "b":{}}';
    const root = jsonNodes(text, 64);
    assert.equal(root.kind, 'mapping');
    if (root.kind !== 'mapping') return;
    const spans = root.pairs.map(({ key, value }) => [
      text.slice(key.start, key.end),
      text.slice(value.start, value.end),
    ]);
    assert.deepEqual(spans, [
      ['"a"', '[1, "x\\n"]'],
      ['"b"', '{}'],
    ]);
  });

  test('refuses deep nesting before the stack does', () => {
    assert.throws(() => jsonNodes('['.repeat(1_000_000), 64), /nested too deeply/);
  });

  test('never says what the text was', () => {
    for (const text of [
      '{"password": hunter2}',
      '{"password": "hunter2',
      '{"a": "hunter2\n"}',
      '{"hunter2": 1} hunter2',
    ]) {
      assert.throws(
        () => jsonNodes(text, 64),
        (error: Error) => error instanceof NodeSyntaxError && !`${error.message}${error.stack}`.includes('hunter2'),
      );
    }
  });
});
