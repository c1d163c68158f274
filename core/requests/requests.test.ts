import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { sodiumReady } from '../crypto/sodium.ts';
import { parseStanza } from '../format/sealed/stanza.ts';
import { type Fulfilment, fulfilmentParts, PART_LIMIT, readFulfilment, stanzasFor } from './fulfilment.ts';
import { endorseRequest, type JoinRequest, joinRequest, readRequest, renderRequest, requestFile } from './request.ts';

let request: JoinRequest;

before(async () => {
  await sodiumReady();
  const identity = Buffer.alloc(32, 7);
  request = joinRequest({ recipient: 'staging', identity, like: 'production', created: '2026-11-21T09:00:00Z' });
});

const bytes = (change = (text: string) => text) => Buffer.from(change(renderRequest(request)));

describe('a request', () => {
  test('is read as it was written, and has the name of what it asks for', () => {
    assert.deepEqual(readRequest(bytes(), requestFile(request.id)), request);
    assert.deepEqual(joinRequest({ ...request, created: '2027-01-01T00:00:00Z' }).id, request.id);
    for (const other of [{ recipient: 'other' }, { like: 'other' }, { identity: Buffer.alloc(32, 8) }]) {
      assert.notEqual(joinRequest({ ...request, ...other }).id, request.id);
    }
  });

  test('that was changed no longer has its name', () => {
    const refused = { code: 'REQUEST_FILE' };
    const file = requestFile(request.id);
    assert.throws(
      () =>
        readRequest(
          bytes((text) => text.replace('like: production', 'like: other')),
          file,
        ),
      refused,
    );
    assert.throws(() => readRequest(bytes(), requestFile('join-0123456789abcdef')), refused);
    assert.throws(
      () =>
        readRequest(
          bytes((text) => `${text}---\n${text}`),
          file,
        ),
      refused,
    );
    assert.throws(
      () =>
        readRequest(
          bytes((text) => text.replace('  join:', '  revoke:')),
          file,
        ),
      { code: 'DOCUMENT_FIELD' },
    );
    const other = (_: string, start: string, one: string) => `${start}${one === 'A' ? 'B' : 'A'}`;
    const mistyped = bytes((text) => text.replace(/(coffer-identity-1-.)(.)/, other));
    assert.throws(() => readRequest(mistyped, file), {
      code: 'KEY_TEXT_MISTYPED',
      data: { file, line: 9, column: 5 },
    });
  });
});

describe('an endorsement', () => {
  const commit = 'c0'.repeat(20);
  const created = '2026-11-21T09:00:00Z';
  const text = (abandons: readonly string[]) => renderRequest(endorseRequest({ commit, abandons, created }));
  const file = requestFile(`endorse-${commit.slice(0, 16)}`);

  test('is read as it was written, with what it gives up and without', () => {
    for (const abandons of [
      [],
      ['a1'.repeat(20)],
      Array.from({ length: 1024 }, (_, index) => `${index}`.padStart(40, '0')),
    ]) {
      assert.deepEqual(readRequest(Buffer.from(text(abandons)), file), endorseRequest({ commit, abandons, created }));
    }
  });

  test('of another commit than its name says, or of none, is refused', () => {
    const wrong: [text: string, file: string, code: string][] = [
      [text([]), requestFile('endorse-0123456789abcdef'), 'REQUEST_FILE'],
      [text([]).replaceAll(commit, 'c1'.repeat(20)), file, 'REQUEST_FILE'],
      [text([]).replace(commit, commit.slice(1)), file, 'DOCUMENT_FIELD'],
      [text([]).replace(commit, 'HEAD'), file, 'DOCUMENT_FIELD'],
      [text(Array.from({ length: 1025 }, () => commit)), file, 'DOCUMENT_FIELD'],
      [`${text([])}  join: {}\n`, file, 'DOCUMENT_FIELD'],
    ];
    for (const [bytes, name, code] of wrong)
      assert.throws(() => readRequest(Buffer.from(bytes), name), { code }, bytes);
  });
});

describe('what was made of a request', () => {
  const kid = 'ab'.repeat(16);
  const stanza = `${kid}:${'A'.repeat(1558)}`;
  const made = (count: number, commit = 'c1'): Fulfilment => ({
    ...{ request: request.id, recipient: 'staging', kid, commit },
    stanzas: new Map(Array.from({ length: count }, (_, index) => [String(index).padStart(32, '0'), stanza])),
    refused: new Map([['lost.yaml', 'why']]),
  });

  test('comes back from parts that each fit into an object of Kubernetes', () => {
    for (const count of [0, 1, 1000]) {
      const parts = fulfilmentParts(made(count));
      for (const part of parts) assert.ok(Buffer.byteLength(part) <= PART_LIMIT, `${Buffer.byteLength(part)}`);
      assert.deepEqual(readFulfilment(parts.toReversed(), request), made(count));
    }
    assert.equal(parseStanza(stanza).kid, kid);
  });

  test('gives a manifest the stanzas of its own data keys', () => {
    const [first = ''] = made(2).stanzas.keys();
    assert.deepEqual(stanzasFor(made(2), [first, 'x'.repeat(32)]), new Map([[first, new Map([['staging', stanza]])]]));
  });

  test('is refused in halves, in a mixture, for another request, and damaged', () => {
    const parts = fulfilmentParts(made(1000));
    const newer = fulfilmentParts(made(1000, 'c2'));
    assert.throws(() => readFulfilment(parts.slice(1), request), { code: 'FULFILMENT_PARTS' });
    assert.throws(() => readFulfilment(parts.with(0, newer[0] ?? ''), request), { code: 'FULFILMENT_PARTS' });
    const other = joinRequest({ ...request, like: 'other' });
    assert.throws(() => readFulfilment(parts, other), { code: 'FULFILMENT_OTHER' });
    for (const bad of ['', '[]', parts[0]?.replace(kid, 'cd'.repeat(16)) ?? '', parts[0]?.slice(0, -2) ?? '']) {
      assert.throws(() => readFulfilment([bad], request), { code: 'FULFILMENT_DAMAGED' });
    }
  });
});
