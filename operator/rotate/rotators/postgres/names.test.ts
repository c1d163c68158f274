import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConnectionUrl } from './connection-url.ts';
import { isIdentifier, quoteIdentifier } from './identifier.ts';

test('a name becomes one delimited identifier, whatever is in it', () => {
  for (const [name, quoted] of [
    ['app_a', '"app_a"'],
    ['App A', '"App A"'],
    ['a"; DROP ROLE b; --', '"a""; DROP ROLE b; --"'],
    ['"', '""""'],
    ["it's \\ ü", '"it\'s \\ ü"'],
  ] as const)
    assert.equal(quoteIdentifier(name), quoted);
  for (const name of ['', 'a\0b', 'ä'.repeat(32), '\ud800']) {
    assert.equal(isIdentifier(name), false);
    assert.throws(() => quoteIdentifier(name), { name: 'Bug' });
  }
});

const ADDRESS = { port: 5432, user: 'admin', password: 'pw', database: 'app' };

test('a connection string names one host, and TLS is verified unless it says disable', () => {
  for (const [text, expected] of [
    ['postgres://admin:pw@db.example/app', { ...ADDRESS, host: 'db.example', isEncrypted: true }],
    [
      'postgresql://admin:pw@db.example:6432/app?sslmode=verify-full\n',
      { ...ADDRESS, host: 'db.example', port: 6432, isEncrypted: true },
    ],
    [
      'postgres://admin:p%40w%2F@10.0.0.1/app?sslmode=disable',
      { ...ADDRESS, host: '10.0.0.1', password: 'p@w/', isEncrypted: false },
    ],
    ['postgres://admin:pw@[::1]/app', { ...ADDRESS, host: '::1', isEncrypted: true }],
    [
      'postgres:///app?host=/run/postgresql&user=admin&password=pw',
      { ...ADDRESS, host: '/run/postgresql', isEncrypted: false },
    ],
  ] as const)
    assert.deepEqual(readConnectionUrl(text), expected, text);
});

test('a connection string that is wrong, ambiguous or weaker than it looks is refused, and not repeated', () => {
  for (const text of [
    'host=db user=admin password=hunter2',
    'mysql://admin:hunter2@db/app',
    'postgres://admin:hunter2@db/',
    'postgres://:hunter2@db/app',
    'postgres://admin:hunter2@db:99999/app',
    'postgres://admin:hunter2@a,b/app',
    'postgres://admin:hunter2@db/app?sslmode=require',
    'postgres://admin:hunter2@db/app?sslmode=prefer',
    'postgres://admin:hunter2@db/app?sslrootcert=/x',
    'postgres://admin:hunter2@db/app?password=other',
    'postgres://admin:hunter2%@db/app',
    'postgres://admin:hunter2@db/app%00',
  ])
    assert.throws(
      () => readConnectionUrl(text),
      (error: Error & { code?: string; advice?: string }) =>
        error.code === 'ROTATOR_URL' && !`${error.message} ${error.advice}`.includes('hunter2'),
      text,
    );
});
