/** Tables of faults, put before the real operator all at once. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { OperatorProcess } from '../../operator/site.ts';
import { Arena, bearer, type Team } from './arena.ts';
import {
  ask,
  assertReady,
  Probe,
  peakMemory,
  sourcesOf,
  type Trouble,
  type Troubles,
  troublesOf,
  untilNoneIsLeft,
} from './observed.ts';

export interface Case {
  /** Code of the source's trouble while the fault lasts; absent: the commit is accepted. */
  code?: string | RegExp;
  /** What the message says, beside its code. */
  says?: RegExp;
  /** Of the source's configuration; absent: over HTTP, with a token. */
  git?(team: Team, arena: Arena): Record<string, unknown> | Promise<Record<string, unknown>>;
  /** Turns the fault on. The commit that brings `new` is there already. */
  spoil(team: Team, arena: Arena): void | Promise<void>;
  /** What the team does to mend it, beside a commit on top; the server's fault goes by itself. */
  mend?(team: Team, arena: Arena): void | Promise<void>;
  /** What else must hold while the fault lasts. */
  holds?(team: Team, arena: Arena): void | Promise<void>;
  /** Only where a state was accepted before. */
  isLater?: true;
}

export interface Trial {
  cases: Record<string, Case>;
  when: 'the first fetch' | 'a later fetch';
  caps: Caps;
  /** false: there is nothing to come back to. */
  isHealed?: boolean;
}

export interface Caps {
  /** Peak of the operator's resident memory, in MiB. */
  memory: number;
  /** Of its state directory while the faults last, in MiB. */
  disk: number;
}

interface Faulty {
  what: string;
  team: Team;
  one: Case;
}

/**
 * Every fault at once, each in a source of its own beside one that is well, at the first fetch or at a later one: each is named
 * in the status, what was projected stays, readiness is kept, memory and disk are bounded, no credential is found anywhere,
 * and each heals when its fault goes. `COFFER_FAULT`, a regular expression, leaves out all but some.
 */
export async function endure(t: TestContext, { cases, when, caps, isHealed = true }: Trial): Promise<void> {
  const isFirst = when === 'the first fetch';
  const arena = await Arena.open(t);
  const { well, faulty } = await gather(arena, cases, isFirst);
  const before = isFirst ? undefined : await startWell(arena, [well, ...faulty.map(({ team }) => team)]);
  await Promise.all([
    well.commit('new'),
    ...faulty.map(async ({ team, one }) => {
      await team.commit('new');
      await one.spoil(team, arena);
    }),
  ]);
  const operator = before ?? (await arena.site.start());
  await before?.wake();
  const probe = new Probe(t, operator, isFirst ? '/healthz' : '/readyz');

  const sound: Faulty = { what: 'nothing', team: well, one: { spoil: () => {} } };
  const left = (troubles: Troubles) =>
    [sound, ...faulty].filter(({ team, one }) => !isNamed(arena, team, one, troubles(team.name)?.code));
  await untilNoneIsLeft(
    operator,
    (troubles) => left(troubles).length,
    // On a busy machine the git server is silent for longer than a source may be; the next look would come in an hour.
    (troubles) => left(troubles).some(({ team }) => troubles(team.name) !== undefined),
  );
  assert.equal(arena.value(well.name), 'new', operator.output);
  for (const one of faulty) await t.test(one.what, () => assertNamed(arena, operator, one, isFirst));
  const isReady = !isFirst || faulty.every(({ one }) => one.code === undefined);
  assert.equal((await ask(operator, '/readyz')).status, isReady ? 200 : 503);
  const disk = arena.disk();
  if (isHealed) await heal(t, arena, operator, faulty);

  const { looks, failures, longest } = await probe.end();
  const memory = peakMemory(operator);
  t.diagnostic(
    `${faulty.length} faults at ${when}: ${Math.round(memory)} MiB of memory, ${Math.round(disk)} MiB on disk, longest answer ${Math.round(longest)} ms`,
  );
  assert.ok(looks > 0);
  assert.deepEqual(failures, []);
  assert.ok(memory < caps.memory, `${memory} MiB of memory`);
  assert.ok(disk < caps.disk, `${disk} MiB on disk`);
  await arena.endWithoutTrace(operator);
}

async function gather(
  arena: Arena,
  cases: Record<string, Case>,
  isFirst: boolean,
): Promise<{ well: Team; faulty: Faulty[] }> {
  const chosen = new RegExp(process.env.COFFER_FAULT ?? '');
  const well = await arena.team('well');
  const faulty: Faulty[] = [];
  const sources = [{ url: well.url }];
  for (const [what, one] of Object.entries(cases)) {
    if (!chosen.test(what) || (isFirst && one.isLater === true)) continue;
    const team = await arena.team(`${nameFor(what)}-${faulty.length}`);
    faulty.push({ what, one, team });
    sources.push({ url: team.url, ...((await one.git?.(team, arena)) ?? bearer(team, arena)) });
  }
  arena.site.configure({
    sources: sources.map((git) => ({ git: { allowHttp: true, interval: '1h', timeout: '60s', ...git } })),
  });
  return { well, faulty };
}

/**
 * With a good state of every source, and no look under way. Where one failed, since a busy machine's git server was silent for
 * too long, it is started again: a look that a wake asks for might begin after the state is good, and find what comes next.
 */
async function startWell(arena: Arena, teams: readonly Team[]): Promise<OperatorProcess> {
  for (;;) {
    const began = new Date().toISOString();
    const operator = await arena.site.start();
    const has = await untilLooked(operator, teams, began);
    if (teams.every(({ name }) => has(name)?.trouble === undefined)) {
      for (const { name } of teams) assert.equal(arena.value(name), 'old', operator.output);
      await assertReady(operator);
      return operator;
    }
    assert.equal(await operator.end(), 0);
  }
}

/** Resolves when each source was looked at once since then: well or not. */
async function untilLooked(operator: OperatorProcess, teams: readonly Team[], since: string) {
  for (;;) {
    const sources = await sourcesOf(operator);
    const isLooked = (name: string) =>
      sources(name)?.trouble !== undefined || (sources(name)?.lastSuccess ?? '') >= since;
    if (teams.every(({ name }) => isLooked(name))) return sources;
    await setTimeout(100);
  }
}

function isNamed(arena: Arena, { name }: Team, { code }: Case, found: string | undefined): boolean {
  if (code === undefined) return arena.value(name) === 'new';
  return typeof code === 'string' ? code === found : code.test(found ?? '');
}

async function assertNamed(
  arena: Arena,
  operator: OperatorProcess,
  { team, one }: Faulty,
  isFirst: boolean,
): Promise<void> {
  let trouble: Trouble | undefined;
  // A look that was asked for beside this one may have come to something else on a busy machine: then the next one is awaited.
  await untilNoneIsLeft(
    operator,
    (troubles) => {
      trouble = troubles(team.name);
      return isNamed(arena, team, one, trouble?.code) ? 0 : 1;
    },
    () => trouble !== undefined,
  );
  assert.ok(isNamed(arena, team, one, trouble?.code), `${arena.value(team.name)}, ${JSON.stringify(trouble)}`);
  if (one.code !== undefined) {
    assert.match(trouble?.message ?? '', one.says ?? /./);
    assert.doesNotMatch(trouble?.message ?? '', /\p{Cc}/u);
    assert.ok((trouble?.advice.length ?? 0) > 10);
    assert.equal(arena.value(team.name), isFirst ? undefined : 'old');
  }
  await one.holds?.(team, arena);
}

async function heal(t: TestContext, arena: Arena, operator: OperatorProcess, faulty: readonly Faulty[]): Promise<void> {
  await Promise.all(
    faulty.map(async ({ team, one }) => {
      team.fault();
      await one.mend?.(team, arena);
      await team.commit('healed');
    }),
  );
  const isIll = ({ name }: Team) => arena.value(name) !== 'healed';
  const left = () => faulty.filter(({ team }) => isIll(team)).length;
  await untilNoneIsLeft(operator, left, () => true);
  const troubles = await troublesOf(operator);
  for (const { what, team } of faulty) {
    await t.test(`${what}: heals`, () => assert.ok(!isIll(team), JSON.stringify(troubles(team.name))));
  }
  await assertReady(operator);
}

/** As the name of a secret and a folder. */
function nameFor(what: string): string {
  return what
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 50)
    .replace(/-$/, '');
}
