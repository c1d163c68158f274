import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMount } from './mounts.ts';

test('a line of mountinfo is read with its optional fields, and without', () => {
  assert.deepEqual(
    parseMount('43 27 0:39 / /var/lib/a\\040b ro,nosuid shared:12 master:3 - tmpfs coffer.dev rw,size=64k'),
    { path: '/var/lib/a b', type: 'tmpfs', source: 'coffer.dev', isReadOnly: true },
  );
  assert.deepEqual(parseMount('36 35 98:0 /mnt1 /mnt2 rw,noatime - ext3 /dev/root rw'), {
    path: '/mnt2',
    type: 'ext3',
    source: '/dev/root',
    isReadOnly: false,
  });
  assert.equal(parseMount(''), undefined);
});
