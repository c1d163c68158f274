import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { eventually, type OperatorProcess } from '../../operator/site.ts';
import { fillUp, smallTmpfs } from '../../operator/tmpfs.ts';
import type { GitFault } from '../../servers/evil-git.ts';
import { Arena, type Team } from './arena.ts';
import { Probe, untilNoneIsLeft } from './observed.ts';

/** Where the clone is, or where the pack of a fetch is. */
const FULL = /^(STATE_UNWRITABLE|FILE_SYSTEM|PACK_UNWRITABLE)$/;

const KILLS: Record<string, GitFault | undefined> = {
  'before the list of branches': { kind: 'hang', at: 'connection' },
  'when it has asked for the pack': { kind: 'hang', at: 'request' },
  'at the start of the pack': { kind: 'hang', at: 'pack start' },
  'in the middle of the pack': { kind: 'hang', at: 'pack middle' },
  'at the end of the pack': { kind: 'hang', at: 'pack end' },
  'at a random moment after it has the pack': undefined,
};

/** So that a pack is more than one packet. */
const noise = () => ({ 'noise.bin': randomBytes(300_000) });

test('kill -9 in a fetch: the last good state is there, nothing of the fetch is left, and the next run goes on', async (t) => {
  const arena = await Arena.open(t);
  const team = await arena.team('one');
  arena.site.configure({ sources: [{ git: { url: team.url, allowHttp: true, interval: '1h' } }] });
  let operator = await startWith(arena, team, 'old');
  let value = 'old';
  for (const [when, fault] of Object.entries(KILLS)) {
    await t.test(when, async () => {
      await team.commit(when, noise());
      const before = arena.server.asked.length;
      team.fault(fault);
      await operator.wake();
      const asked =
        fault === undefined || !['connection', 'advertisement'].includes('at' in fault ? fault.at : '') ? 2 : 1;
      await eventually(() => assert.ok(arena.server.asked.length >= before + asked));
      await setTimeout(fault === undefined ? randomInt(150) : 100);
      await operator.kill();
      assert.ok([value, when].includes(arena.value('one') ?? ''));
      team.fault();
      operator = await startWith(arena, team, when);
      value = when;
      // Elsewhere in the state a chore that has nothing to do with it may have been killed in the middle of a write.
      await assertNothingIsLeft(arena.site.path('state', 'sources'));
      for (const clone of clones(arena)) git(clone, 'fsck', '--strict', 'refs/coffer/accepted');
    });
  }
  assert.ok(arena.disk() < 20);
  await arena.endWithoutTrace(operator);
});

describe('a disk that is full', () => {
  for (const [what, spare] of [
    ['to the last byte', 0],
    ['but for what a pack begins with', 100_000],
  ] as const) {
    test(`${what}: it says so, last good stays, it stays ready, and goes on when there is room`, async (t) => {
      const full = await openFull(t);
      if (full === undefined) return;
      const { arena, team, mount, operator } = full;
      const probe = new Probe(t, operator, '/readyz');
      const filler = join(mount, 'filler');
      fillUp(filler);
      fs.truncateSync(filler, fs.statSync(filler).size - spare);
      await team.commit('new', noise());
      await operator.wake();
      await untilFull(operator);
      assert.equal(arena.value('one'), 'old');
      fs.rmSync(filler);
      await assertTaken(full, 'new');
      assert.deepEqual((await probe.end()).failures, []);
      await assertNothingIsLeft(join(mount, 'state'));
      await arena.endWithoutTrace(operator);
    });
  }

  test('because one commit is larger than it: the next, without that one, is taken', async (t) => {
    const full = await openFull(t);
    if (full === undefined) return;
    const { arena, team, mount, operator } = full;
    const good = await team.tree.git('rev-parse', 'HEAD');
    await team.commit('too large', { 'noise.bin': randomBytes(6 << 20) });
    await operator.wake();
    await untilFull(operator);
    assert.equal(arena.value('one'), 'old');
    await assertNothingIsLeft(join(mount, 'state'));
    await team.tree.git('reset', '-q', '--hard', good);
    await team.commit('new');
    await assertTaken(full, 'new');
    await eventually(async () => assert.match(await operator.get('/readyz'), /^200/));
    await arena.endWithoutTrace(operator);
  });
});

interface Full {
  arena: Arena;
  team: Team;
  mount: string;
  operator: OperatorProcess;
}

/** An operator whose state is on a disk of four MiB, with a good state on it. */
async function openFull(t: TestContext): Promise<Full | undefined> {
  const mount = smallTmpfs(t, 4096);
  if (mount === undefined) return undefined;
  const arena = await Arena.open(t);
  const team = await arena.team('one');
  arena.site.configure({
    state: { directory: join(mount, 'state') },
    sources: [{ git: { url: team.url, allowHttp: true, interval: '1h' } }],
  });
  return { arena, team, mount, operator: await startWith(arena, team, 'old') };
}

async function startWith(arena: Arena, team: Team, value: string): Promise<OperatorProcess> {
  const operator = await arena.site.start();
  await eventually(() => assert.equal(arena.value(team.name), value));
  await eventually(async () => assert.match(await operator.get('/readyz'), /^200/));
  return operator;
}

/** A look that the machine was too busy for fails otherwise, and the next one would come in an hour. */
async function untilFull(operator: OperatorProcess): Promise<void> {
  let found: string | undefined;
  await untilNoneIsLeft(
    operator,
    (troubles) => {
      found = troubles('one')?.code;
      return FULL.test(found ?? '') ? 0 : 1;
    },
    () => found !== undefined,
  );
  assert.match(found ?? '', FULL, operator.output);
}

async function assertTaken({ arena, operator }: Full, value: string): Promise<void> {
  const isTaken = () => arena.value('one') === value;
  await untilNoneIsLeft(
    operator,
    () => (isTaken() ? 0 : 1),
    () => true,
  );
  assert.ok(isTaken(), operator.output);
}

/** A write that goes on just then ends. */
function assertNothingIsLeft(folder: string): Promise<void> {
  return eventually(() => assert.deepEqual(leftovers(folder), []));
}

/** What should not outlast a fetch. */
function leftovers(folder: string): string[] {
  const files = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return files.filter((file) => /quarantine-|(^|\/)tmp-|\.tmp$/.test(file));
}

function clones(arena: Arena): string[] {
  const sources = arena.site.path('state', 'sources');
  return fs.readdirSync(sources).map((name) => join(sources, name));
}

function git(directory: string, ...args: string[]): void {
  execFileSync('git', ['-c', 'safe.directory=*', '--git-dir', directory, ...args], { stdio: 'pipe' });
}
