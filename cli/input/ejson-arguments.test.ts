import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ejsonArguments } from './ejson-arguments.ts';

describe('the ejson tool’s command line', () => {
  for (const [typed, parsed] of [
    ['e a b', 'encrypt a b'],
    ['encrypt a', 'encrypt a'],
    ['d a', 'decrypt a'],
    ['g -w', 'keygen -w'],
    ['keygen --write', 'keygen --write'],
    ['-keydir K d a', 'decrypt --keydir K a'],
    ['--keydir=K d a', 'decrypt --keydir=K a'],
    ['-k K e a', 'encrypt -k K a'],
    ['-k=K e a', 'encrypt -k K a'],
    ['d -key-from-stdin -o out a', 'decrypt --key-from-stdin -o out a'],
    ['d --o=out a', 'decrypt -o out a'],
    ['d a -o d', 'decrypt a -o d'],
    ['-keydir e g', 'keygen --keydir e'],
    ['e e', 'encrypt e'],
    ['e -- -keydir', 'encrypt -- -keydir'],
    ['--help', '--help'],
    ['', ''],
    ['d --unknown a', 'decrypt --unknown a'],
  ] as const) {
    test(`ejson ${typed}`, () => {
      const words = (line: string) => line.split(' ').filter((word) => word !== '');
      assert.deepEqual(ejsonArguments(['ejson', ...words(typed)]), ['ejson', ...words(parsed)]);
    });
  }
});
