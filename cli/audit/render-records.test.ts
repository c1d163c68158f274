import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuditRecord } from '../../core/audit/record.ts';
import { rowOf } from './render-records.ts';

const COMMIT = 'ab'.repeat(20);

/** What a row says behind its time and number. */
const ROWS: readonly (readonly [AuditRecord, string])[] = [
  [{ event: 'configuration.changed', aspect: 'pins', from: 'a', to: 'b' }, 'configuration.changed pins'],
  [
    { event: 'path.refused', path: 'db.yaml', accepted: COMMIT, code: 'DOCUMENT_FIELD', message: 'No.' },
    'path.refused  db.yaml  commit abababababab  DOCUMENT_FIELD  No.',
  ],
  [
    { event: 'value.returned', path: 'db.yaml', entries: ['pin'], commit: COMMIT },
    'value.returned  [pin]  db.yaml  commit abababababab',
  ],
  [
    { event: 'secret.intent', action: 'prune', namespace: 'a', name: 'b', entries: [], keyIds: [], path: 'db.yaml' },
    'secret.intent prune  a/b',
  ],
  [
    { event: 'request.refused', recipient: 'laptop', request: 'r1', code: 'REQUEST_ROLE', message: 'No.' },
    'request.refused  recipient laptop  request r1  REQUEST_ROLE  No.',
  ],
  [
    {
      ...{
        event: 'commit.accepted',
        commit: COMMIT,
        basis: 'person',
        author: { name: 'Eve', email: 'eve@example.com' },
      },
      ...{ actor: { kind: 'host', user: 'root', uid: 0 }, signer: { names: ['ada@example.com'], key: 'SHA256:abc' } },
    },
    'commit.accepted  commit abababababab  person  by root  author Eve  signed ada@example.com SHA256:abc',
  ],
  [
    {
      ...{ event: 'secret.intent', action: 'mount', namespace: 'a', name: 'b', workloads: ['a/api'] },
      ...{
        author: { name: 'Eve', email: 'eve@example.com' },
        actor: { kind: 'pod', user: 'system:serviceaccount:a:api' },
      },
    },
    'secret.intent mount  a/b  for a/api  by system:serviceaccount:a:api  author Eve',
  ],
  [{ event: 'log.witnessed', origin: 'o', checkpoint: 'c' }, 'log.witnessed  log o'],
  [
    { event: 'log.overridden', actor: { kind: 'host', user: 'ada' }, reason: 'disk', until: '2026-11-22' },
    'log.overridden  by ada  until 2026-11-22  disk',
  ],
];

test('a row of coffer audit show says what its event is about', () => {
  const rows = ROWS.map(([record]) => rowOf({ ...record, sequence: 1, time: 'T' }, undefined));
  assert.deepEqual(
    rows,
    ROWS.map(([, row]) => `T       1  ${row}`),
  );
});
