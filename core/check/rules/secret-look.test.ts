import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HOLE, secretLook } from './secret-look.ts';

// Made up for these tests. They are put together here so that scanners of this repository do not take them for real.
const GITHUB = `ghp_${'a1B2c3D4e5'.repeat(4)}`;
const JWT = ['eyJhbGciOiJIUzI1NiJ9', 'eyJzdWIiOiIxMjM0NTY3ODkwIn0', 'c2lnbmF0dXJlLWJ5dGVz'].join('.');
const PEM = `-----BEGIN ${'RSA PRIVATE'} KEY-----\nMIIEow`;
const RANDOM = 'q7Zt1LwX9bKc3RfVh5NpYd8sGm2JxUa4';

describe('what looks like a secret in fixed text', () => {
  const secrets: [string, string][] = [
    ['postgres://app:hunter2@db/payments', 'a password in a URL'],
    [`postgres://${HOLE}:hunter2@db/payments`, 'a password in a URL'],
    ['redis://:hunter2@cache:6379/0', 'a password in a URL'],
    [`{"tls": "${PEM}"}`, 'a private key'],
    [`Authorization: Bearer ${GITHUB}`, 'an access token'],
    [`token ${JWT}`, 'an access token'],
    ['password=hunter2', 'a password'],
    ['PGPASSWORD: hunter2', 'a password'],
    ['{"password": "hunter2"}', 'a password'],
    ["api_key = 'abcd1234'", 'a password'],
    ['client-secret: tiger77', 'a password'],
    [`salt ${RANDOM}`, 'random text'],
  ];
  for (const [text, look] of secrets) {
    test(`${look}: ${text.slice(0, 30).replaceAll(HOLE, '${…}')}`, () => {
      assert.equal(secretLook(text)?.look, look);
    });
  }
});

describe('what does not', () => {
  const formats = [
    `postgres://${HOLE}:${HOLE}@db/payments`,
    `postgres://app:${HOLE}@db/payments?sslmode=require`,
    'https://example.com/path:with:colons?at=user@host',
    'postgres://db/payments',
    `password=${HOLE}`,
    `{"password": "${HOLE}", "user": "app"}`,
    `prefix-password: pre${HOLE}`,
    'password: $PASSWORD',
    'password_file=/run/secrets/db',
    'password=/run/secrets/db',
    'password: "<set by the operator>"',
    'tokens: 5',
    'secret: true',
    'token: ""',
    'remember-password: no',
    'registry.example.com/team/application-server:1.2.3',
    'sha256:9f86d081884c7d659a2feaa0c55ad0159f86d081884c7d659a2feaa0c55ad015',
    '-----BEGIN CERTIFICATE-----\nMIIB',
    `-----BEGIN ${'PRIVATE'} KEY-----\n${HOLE}`,
    '',
  ];
  for (const text of formats) {
    test(JSON.stringify(text.replaceAll(HOLE, '${…}')), () => {
      assert.equal(secretLook(text), undefined);
    });
  }
});
