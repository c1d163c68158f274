/** What an operator that begins again, or finds what others did meanwhile, makes of rotations that are under way. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Stage } from '../operator/stage.ts';
import { type Life, Lives } from './lives.ts';
import { withSpec } from './rotating.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const DONE = 'echo \'{"result":"done"}\'';

/** A token that a program changes where it is used, and that is due: each step answers as the script of its name says. */
async function due(t: TestContext) {
  const rule = { every: '30d', rotator: 'api-tokens', keepPrevious: '1h' };
  const lives = await Lives.open(t, (stage) => ({
    'api.json': withSpec(manifest(stage), { rotation: { token: rule } }),
  }));
  const { stage } = lives;
  const [program, asked] = [stage.path('program'), stage.path('asked')];
  const answer = (verify: string) => {
    writeFileSync(
      program,
      `#!/bin/sh\nread -r question\ncase $question in *verify*) echo verify;; *install*) echo install;; *) echo retire;; esac >>${asked}
case $question in *verify*) ${verify};; esac\n${DONE}\n`,
    );
    chmodSync(program, 0o755);
  };
  answer(':');
  const rotators = [{ name: 'api-tokens', secrets: ['payments/api'], command: { run: [program], timeout: '4m' } }];
  const begin = (mayPush = true) => lives.begin({ rotators, mayPush });
  const first = await begin();
  await first.look();
  await first.end();
  lives.clocks.pass(31 * DAY);
  const questions = () => (existsSync(asked) ? readFileSync(asked, 'utf8').trimEnd().split('\n') : []);
  return { lives, begin, answer, questions };
}

function manifest(stage: Stage, data: Record<string, string> = { token: 'first' }): string {
  return stage.manifest({ namespace: 'payments', name: 'api', data });
}

function published({ stage }: Lives): string | undefined {
  const file = stage.path('state', 'proposals', 'values-production.jsonl');
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

const codes = ({ rotation }: Life) => rotation.troubles().map(({ code }) => code);

async function stepsOf({ stage }: Lives): Promise<string[]> {
  const records = (await stage.audit()).filter(({ event, outcome }) => event === 'rotation.step' && outcome === 'done');
  return records.map(({ step }) => step ?? '');
}

async function lookUntil(lives: Lives, operator: Life, step: string): Promise<void> {
  for (let looks = 0; looks < 10 && !(await stepsOf(lives)).includes(step); looks += 1) await operator.look();
  assert.ok((await stepsOf(lives)).includes(step), `${await stepsOf(lives)}; ${codes(operator)}`);
}

test('a value that was verified is installed again where a program says that it does not work, and not where it says nothing', async (t) => {
  const { lives, begin, answer, questions } = await due(t);
  const former = await begin(false);
  await lookUntil(lives, former, 'published');
  await former.end();
  assert.deepEqual(questions(), ['install', 'verify']);
  const operator = await begin(false);
  answer('kill -9 $$');
  await operator.look();
  assert.deepEqual(codes(operator), ['ROTATOR_COMMAND_UNANSWERED']);
  lives.clocks.pass(HOUR);
  answer('exit 1');
  await operator.look();
  assert.deepEqual(codes(operator), ['ROTATOR_COMMAND_FAILED']);
  assert.deepEqual(questions().slice(2), ['verify', 'verify', 'install', 'verify']);
  lives.clocks.pass(HOUR);
  answer(':');
  await operator.look();
  assert.deepEqual(codes(operator), []);
  await operator.end();
});

test('what is published for a source stays while nobody can say what it needs, and goes when that is known', async (t) => {
  const { lives, begin } = await due(t);
  const former = await begin(false);
  await lookUntil(lives, former, 'published');
  await former.end();
  const before = published(lives);
  assert.ok(before);
  const operator = await begin(false);
  const { source } = operator.run;
  const accepted = t.mock.method(source, 'accepted', async () => undefined);
  await operator.rotation.look();
  await operator.rotation.settled();
  assert.equal(published(lives), before);
  accepted.mock.restore();
  await operator.look();
  assert.equal(published(lives), before);
  assert.equal((await stepsOf(lives)).filter((step) => step === 'published').length, 1);
  await lives.stage.tree.commit({ 'api.json': manifest(lives.stage) });
  await operator.look();
  assert.equal(published(lives), undefined);
  await operator.end();
});

test('a former value that somebody sealed anew by itself, before it could go, is said to be left', async (t) => {
  const { lives, begin } = await due(t);
  const { stage } = lives;
  const operator = await begin();
  await lookUntil(lives, operator, 'projected');
  const there = JSON.parse(readFileSync(join(stage.tree.directory, 'api.json'), 'utf8'));
  const { data, keys } = JSON.parse(manifest(stage, { 'token.previous': 'first' })).spec;
  Object.assign(there.spec.data, data);
  Object.assign(there.spec.keys, keys);
  await stage.tree.commit({ 'api.json': `${JSON.stringify(there, null, 2)}\n` });
  await operator.look();
  assert.deepEqual(codes(operator), []);
  lives.clocks.pass(2 * HOUR);
  await lookUntil(lives, operator, 'retired');
  await operator.look();
  assert.equal(await stage.read('payments/api', 'api', 'token.previous'), 'first');
  assert.deepEqual(codes(operator), ['ROTATE_FORMER_UNPROVEN']);
  await operator.end();
});

test('killed at every record of a generated value’s rotation, whoever comes next goes on: each step is on record, and nothing is left over', async (t) => {
  const rule = { every: '4h', generate: { kind: 'hex' }, keepPrevious: '1h' };
  const lives = await Lives.open(t, (stage) => ({
    'api.json': withSpec(manifest(stage), { rotation: { token: rule } }),
  }));
  const read = (entry: string) => lives.stage.read('payments/api', 'api', entry);
  const values = new Set<string | undefined>();
  let isWhole = false;
  for (let life = 0; !isWhole; life += 1) {
    const diesAt = { record: life + 1, when: life % 2 === 1 ? 'before' : 'after' } as const;
    const operator = await lives.begin({ diesAt });
    for (let look = 0; look < 10 && !operator.isDead; look += 1) {
      const [before, former] = [await read('token'), await read('token.previous')];
      await operator.look();
      const now = await read('token');
      if (now !== before) assert.equal(await read('token.previous'), before, 'the former value stays for a while');
      else assert.ok([former, undefined].includes(await read('token.previous')));
      values.add(now);
      lives.clocks.pass(HOUR / 2 + 1);
    }
    assert.deepEqual(codes(operator), []);
    // Ten looks are a rotation, and the end of its overlap.
    isWhole = !operator.isDead;
    await operator.end();
  }
  assert.ok(values.size > 5, `${values.size}`);
  const steps = (await lives.stage.audit()).filter(({ event, operation }) => event === 'rotation.step' && operation);
  for (const [operation, records] of Map.groupBy(steps, (record) => record.operation)) {
    const told = new Set(records.map(({ step }) => step));
    // Killed right after a push, it finds that landed at its next look.
    told.delete('pushed');
    if (told.has('done'))
      assert.deepEqual([...told], ['made', 'published', 'landed', 'projected', 'done'], `${operation}`);
  }
});
