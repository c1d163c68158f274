import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CofferError } from '../../errors.ts';
import { readAllowedLine } from './allowed-line.ts';

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5rA3CxZzr9cX0TnWJkkmN8BEvxtXDwCSHELPB3lDZc';
const refuse = (what: string) => new CofferError('SIGNERS_ALLOWED_LINE', what, { advice: 'Correct it.' });
const read = (line: string) => {
  const { key, ...rest } = readAllowedLine(line, refuse);
  assert.equal(key.type, 'ssh-ed25519');
  return rest;
};
const seconds = (...parts: [number, number, number?, number?, number?, number?]) => new Date(...parts).getTime() / 1000;

describe('a line of allowed_signers says', () => {
  const table: [string, Partial<ReturnType<typeof read>>][] = [
    ['a', { principals: 'a', isAuthority: false }],
    ['a,*@b,!c@b', { principals: 'a,*@b,!c@b' }],
    ['"a b,c"', { principals: 'a b,c' }],
    ['a\t \tnamespaces="x y"', { namespaces: 'x y' }],
    ['a NAMESPACES="x,\\"y"', { namespaces: 'x,"y' }],
    ['a namespaces=""', { namespaces: '' }],
    ['a namespaces="a\\b"', { namespaces: 'a\\b' }],
    ['a cert-authority,namespaces="git"', { isAuthority: true, namespaces: 'git' }],
    ['a valid-after="20260102Z"', { validAfter: Date.UTC(2026, 0, 2) / 1000 }],
    ['a valid-after="202601020304Z"', { validAfter: Date.UTC(2026, 0, 2, 3, 4) / 1000 }],
    ['a valid-before="20260102030405UTC"', { validBefore: Date.UTC(2026, 0, 2, 3, 4, 5) / 1000 }],
    // Without Z in the time zone of the process, as ssh-keygen(1) has it.
    ['a valid-before="20260702"', { validBefore: seconds(2026, 6, 2) }],
    ['a valid-before="20260702030405"', { validBefore: seconds(2026, 6, 2, 3, 4, 5) }],
  ];
  for (const [start, expected] of table) {
    test(start, () =>
      assert.deepEqual(read(`${start} ${KEY} comment`), { ...read(`a ${KEY}`), ...unset(start), ...expected }),
    );
  }
});

/** The principals of a line whose options are what the row is about. */
const unset = (start: string) => ({ principals: start.split(/[\t ]/)[0] });

describe('a line of allowed_signers is refused', () => {
  const table = [
    `${KEY}`,
    `a`,
    `a ssh-ed25519`,
    `a ssh-ed25519 AAAA`,
    `a ssh-dss ${KEY.slice(12)}`,
    `a ${KEY.slice(0, -1)}`,
    `a ${KEY}=`,
    `a, ${KEY}`,
    `a,!,b ${KEY}`,
    `a"b" ${KEY}`,
    `"a ${KEY}`,
    `${'a'.repeat(1001)} ${KEY}`,
    `a namespaces=git ${KEY}`,
    `a namespaces ${KEY}`,
    `a cert-authority="x" ${KEY}`,
    `a no-touch-required ${KEY}`,
    `a ,namespaces="git" ${KEY}`,
    `a namespaces="git",,cert-authority ${KEY}`,
    `a namespaces="git\\" ${KEY}`,
    `a namespaces="a\\\\" ${KEY}`,
    `a valid-after="" ${KEY}`,
    `a valid-after="20261301" ${KEY}`,
    `a valid-after="20260230" ${KEY}`,
    `a valid-after="202601012400" ${KEY}`,
    `a valid-after="20260101",valid-before="20260101" ${KEY}`,
    `a valid-after="99999999999999999999" ${KEY}`,
  ];
  for (const line of table) {
    test(line.slice(0, 60), () => assert.throws(() => readAllowedLine(line, refuse), { code: 'SIGNERS_ALLOWED_LINE' }));
  }
});
