import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Case, endure } from './trial.ts';

const ANSWERS: Record<string, Case> = {};
for (const [status, part, code] of [
  [401, 'advertisement', 'SOURCE_UNAUTHORIZED'],
  [403, 'pack', 'SOURCE_UNAUTHORIZED'],
  [404, 'advertisement', 'SOURCE_MISSING'],
  [429, 'pack', 'SOURCE_BUSY'],
  [500, 'advertisement', 'SOURCE_UNAVAILABLE'],
  [502, 'pack', 'SOURCE_UNAVAILABLE'],
] as const) {
  ANSWERS[`${status} for the ${part}`] = {
    code,
    says: new RegExp(`HTTP ${status}`),
    spoil: (team) => team.fault({ kind: 'status', status, of: part, body: '\u001b]0;owned\u0007 no' }),
  };
}

const BROKEN: Record<string, Case> = {};
for (const [kind, at, code] of [
  ['end', 'connection', 'SOURCE_UNREACHABLE'],
  ['reset', 'advertisement', 'SOURCE_UNREACHABLE'],
  ['end', 'advertisement', 'SOURCE_INCOMPLETE'],
  ['reset', 'request', 'SOURCE_UNREACHABLE'],
  ['end', 'negotiation', 'SOURCE_INCOMPLETE'],
  ['end', 'pack start', 'SOURCE_INCOMPLETE'],
  ['reset', 'pack middle', 'SOURCE_UNREACHABLE'],
  ['end', 'pack end', 'SOURCE_INCOMPLETE'],
] as const) {
  BROKEN[`a connection that breaks off (${kind}) at the ${at}`] = { code, spoil: (team) => team.fault({ kind, at }) };
}

const SLOW: Record<string, Case> = {};
for (const [kind, at] of [
  ['hang', 'connection'],
  ['hang', 'request'],
  ['hang', 'pack middle'],
  ['drip', 'advertisement'],
  ['drip', 'pack middle'],
] as const) {
  SLOW[`a ${kind} at the ${at}`] = {
    code: 'SOURCE_TIMEOUT',
    git: (team) => ({ bearerFile: team.plant('bearer'), timeout: '5s' }),
    spoil: (team) => team.fault({ kind, at }),
  };
}

const CREDENTIALS: Record<string, Case> = {
  'a wrong password': {
    code: 'SOURCE_UNAUTHORIZED',
    git: (team) => ({ usernameFile: team.plant('username', 'ada-of-the-team'), passwordFile: team.plant('password') }),
    spoil: (team, { server }) => void server.wanted.set(team.name, 'Basic bm86bm8='),
    mend: (team, { server }) => void server.wanted.delete(team.name),
  },
  'a token that expired, and then is renewed in its file': {
    code: 'SOURCE_UNAUTHORIZED',
    spoil: (team, { server }) => void server.wanted.set(team.name, 'Bearer canary-renewed'),
    mend: (team) => void team.plant('bearer', 'canary-renewed'),
  },
  'a redirect to another host': {
    spoil: (team, { elsewhere }) => team.fault({ kind: 'redirect', to: elsewhere.url }),
    holds: (team, { elsewhere }) => {
      const asked = elsewhere.asked.filter(({ repository }) => repository === team.name);
      assert.ok(asked.length >= 2);
      for (const { headers } of asked) assert.ok(!JSON.stringify(headers).includes('canary'));
    },
  },
};

describe('a server that fails: last good stays, it is named, and it heals', () => {
  const caps = { memory: 400, disk: 30 };
  const slow = { ...SLOW, ...CREDENTIALS };
  test('after a good state', (t) =>
    endure(t, { cases: { ...ANSWERS, ...BROKEN, ...slow }, when: 'a later fetch', caps }));
  test('at the first fetch', (t) => endure(t, { cases: slow, when: 'the first fetch', caps }));
});
