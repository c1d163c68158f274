import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lines } from './lines.ts';

test('lines end with LF, CRLF and CR; a place counts from 1', () => {
  const text = 'a\nbc\r\nd\re';
  const lines = new Lines(text);
  const places = ['a', 'b', 'c', 'd', 'e'].map((letter) => lines.place(text.indexOf(letter)));
  assert.deepEqual(
    places.map(({ line, column }) => `${line}:${column}`),
    ['1:1', '2:1', '2:2', '3:1', '4:1'],
  );
  assert.equal(lines.startOf(text.indexOf('c')), 2);
  assert.equal(lines.endOf(text.indexOf('c')), 6);
  assert.equal(lines.endOf(text.length), text.length);
});
