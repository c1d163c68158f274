import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Stage } from '../../servers/evil-git.ts';
import { type Case, endure } from './trial.ts';

const ANSWERS: Record<string, Case> = {};
for (const [status, part, code] of [
  [401, 'advertisement', 'SOURCE_UNAUTHORIZED'],
  [403, 'advertisement', 'SOURCE_UNAUTHORIZED'],
  [403, 'pack', 'SOURCE_UNAUTHORIZED'],
  [404, 'advertisement', 'SOURCE_MISSING'],
  [410, 'pack', 'SOURCE_MISSING'],
  [429, 'advertisement', 'SOURCE_BUSY'],
  [429, 'pack', 'SOURCE_BUSY'],
  [500, 'advertisement', 'SOURCE_UNAVAILABLE'],
  [502, 'pack', 'SOURCE_UNAVAILABLE'],
  [503, 'advertisement', 'SOURCE_UNAVAILABLE'],
] as const) {
  ANSWERS[`${status} for the ${part}`] = {
    code,
    says: new RegExp(`HTTP ${status}`),
    isLater: true,
    spoil: (team) => team.fault({ kind: 'status', status, of: part, body: '\u001b]0;owned\u0007 no' }),
  };
}

const STAGES: Record<Stage, { reset: string; end: string }> = {
  connection: { reset: 'SOURCE_UNREACHABLE', end: 'SOURCE_UNREACHABLE' },
  advertisement: { reset: 'SOURCE_UNREACHABLE', end: 'SOURCE_INCOMPLETE' },
  request: { reset: 'SOURCE_UNREACHABLE', end: 'SOURCE_UNREACHABLE' },
  negotiation: { reset: 'SOURCE_UNREACHABLE', end: 'SOURCE_INCOMPLETE' },
  'pack start': { reset: 'SOURCE_UNREACHABLE', end: 'SOURCE_INCOMPLETE' },
  'pack middle': { reset: 'SOURCE_UNREACHABLE', end: 'SOURCE_INCOMPLETE' },
  'pack end': { reset: 'SOURCE_UNREACHABLE', end: 'SOURCE_INCOMPLETE' },
};

const BROKEN: Record<string, Case> = {};
for (const [stage, { reset, end }] of Object.entries(STAGES)) {
  const at = stage as Stage;
  BROKEN[`a reset at the ${stage}`] = { code: reset, spoil: (team) => team.fault({ kind: 'reset', at }) };
  BROKEN[`an early end at the ${stage}`] = { code: end, spoil: (team) => team.fault({ kind: 'end', at }) };
}

const SLOW: Record<string, Case> = {};
for (const kind of ['hang', 'drip'] as const) {
  for (const at of ['connection', 'advertisement', 'request', 'pack middle'] as const) {
    SLOW[`a ${kind} at the ${at}`] = {
      code: 'SOURCE_TIMEOUT',
      git: (team) => ({ bearerFile: team.plant('bearer'), timeout: '5s' }),
      spoil: (team) => team.fault({ kind, at }),
    };
  }
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

for (const when of ['a later fetch', 'the first fetch'] as const) {
  describe(`a server that fails at ${when}: last good stays, it is named, and it heals`, () => {
    test('by what it answers, and where it breaks off', async (t) => {
      await endure(t, {
        cases: { ...ANSWERS, ...BROKEN, ...SLOW, ...CREDENTIALS },
        when,
        caps: { memory: 400, disk: 30 },
      });
    });
  });
}
