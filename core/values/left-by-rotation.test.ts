import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLeftByRotation } from './left-by-rotation.ts';

/** What stands there, from the newest to the oldest: texts of `a` and of `a.previous`, each letter another; `-`: none. */
const CASES: [name: string, versions: string[], expected: boolean][] = [
  ['a rotation', ['bx', 'a-'], true],
  ['the same, and another commit since', ['bx', 'bx', 'a-', 'a-'], true],
  ['two rotations within an overlap', ['cy', 'bx', 'a-'], true],
  ['one that is sealed anew', ['dz', 'bx', 'a-'], true],
  ['one after an earlier one was over', ['cy', 'b-', 'bx', 'a-'], true],
  ['one from the first', ['bx'], false],
  ['one beside an entry that stays', ['ax', 'a-'], false],
  ['one before the entry', ['ax', '-x'], false],
  ['one that came with the entry', ['ax', '--'], false],
  ['one by hand that is sealed anew', ['by', 'ax', 'a-'], false],
  ['a rotation’s that a person replaced', ['by', 'bx', 'a-'], false],
  ['a manifest that was not there before', ['bx', ''], false],
];

function version([own = '-', former = '-']: string) {
  const sealed = Object.entries({ a: own, 'a.previous': former }).filter(([, text]) => text !== '-');
  return {
    entries: new Map(
      sealed.map(([entry, text]) => [entry, { kind: 'sealed', text, dataKeyId: 'x', line: 1 } as const]),
    ),
  };
}

test('a former value is one that came with another text of its entry, and changed only together with it', async () => {
  for (const [name, versions, expected] of CASES) {
    const manifests = versions.map((letters) => (letters === '' ? undefined : version(letters)));
    assert.equal(await isLeftByRotation('a', manifests), expected, name);
  }
});
