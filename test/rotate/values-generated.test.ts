import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { identityText } from '../../core/keys/key-texts.ts';
import { askForValue } from '../../operator/rotate/values/due/asked-values.ts';
import type { Stage } from '../operator/stage.ts';
import { recipientFiles, testCluster } from '../support/secrets.ts';
import { type Life, Lives } from './lives.ts';
import { withSpec } from './rotating.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

function manifest(stage: Stage, name: string, rotation: object): string {
  return withSpec(stage.manifest({ namespace: 'payments', name, data: { token: 'first' } }), { rotation });
}

const read = ({ stage }: Lives, name: string, entry = 'token') => stage.read('payments/api', name, entry);

async function look(operator: Life, times = 3): Promise<void> {
  for (let count = 0; count < times; count += 1) await operator.look();
}

test('a generated value turns over when it is due; the former one stays for its overlap, then goes', async (t) => {
  const rule = { every: '30d', generate: { kind: 'password' }, keepPrevious: '24h' };
  const lives = await Lives.open(t, (stage) => ({
    'api.json': manifest(stage, 'api', { token: rule, extra: { generate: { kind: 'uuid' } } }),
  }));
  const operator = await lives.begin();
  await look(operator);
  assert.equal(await read(lives, 'api'), 'first');
  assert.match((await read(lives, 'api', 'extra')) ?? '', /^[0-9a-f-]{36}$/, 'what is not there yet is made');
  lives.clocks.pass(30 * DAY + HOUR);
  await look(operator);
  assert.match((await read(lives, 'api')) ?? '', /^\w{32}$/);
  assert.equal(await read(lives, 'api', 'token.previous'), 'first');
  lives.clocks.pass(23 * HOUR);
  await look(operator);
  assert.equal(await read(lives, 'api', 'token.previous'), 'first');
  lives.clocks.pass(2 * HOUR);
  await look(operator);
  assert.equal(await read(lives, 'api', 'token.previous'), undefined);
  assert.deepEqual(operator.rotation.status().rotations, { due: 0, underway: 0, failed: 0, done: 2 });
  await operator.end();
});

test('a value that only bears the name of a former one is neither removed nor replaced, and people are told', async (t) => {
  const rules = {
    token: { every: '30d', generate: { kind: 'hex' }, keepPrevious: '1h' },
    plain: { every: '30d', generate: { kind: 'hex' } },
  };
  const lives = await Lives.open(t, () => ({}));
  const { stage, clocks } = lives;
  const commit = (data: Record<string, string>, name = 'api') => {
    const text = stage.manifest({ namespace: 'payments', name, data });
    return stage.tree.commit({ [`${name}.json`]: withSpec(text, { rotation: rules }) });
  };
  const [own, byHand] = [
    { token: 'first', plain: 'first' },
    { 'token.previous': 'needed', 'plain.previous': 'needed' },
  ];
  await commit({ ...own, ...byHand });
  await commit(own, 'calm');
  const operator = await lives.begin();
  const told = () => [...new Set(operator.rotation.troubles().map(({ code, data }) => `${code} ${data.entry}`))].sort();
  const unproven = ['ROTATE_FORMER_UNPROVEN plain.previous', 'ROTATE_FORMER_UNPROVEN token.previous'];
  await look(operator);
  // All is sealed anew; and beside it a person rotates, and keeps what was.
  await commit({ ...own, ...byHand });
  await commit({ ...own, token: 'second', 'token.previous': 'first' }, 'calm');
  await look(operator);
  assert.equal(await read(lives, 'calm', 'token.previous'), 'first');
  clocks.pass(2 * HOUR);
  await look(operator);
  assert.equal(await read(lives, 'calm', 'token.previous'), undefined);
  assert.deepEqual(told(), unproven);
  clocks.pass(31 * DAY);
  await look(operator);
  assert.deepEqual(told(), unproven);
  for (const entry of ['token', 'token.previous', 'plain.previous'])
    assert.equal(await read(lives, 'api', entry), entry === 'token' ? 'first' : 'needed');
  await commit(own);
  await look(operator);
  clocks.pass(31 * DAY);
  await look(operator);
  assert.notEqual(await read(lives, 'api', 'token'), 'first');
  assert.equal(await read(lives, 'api', 'token.previous'), 'first');
  assert.deepEqual(told(), []);
  await operator.end();
});

test('an exposed value is due at once, one that is made by hand is said to be, and nobody else’s is touched', async (t) => {
  const generate = { kind: 'hex' };
  const lives = await Lives.open(t, (stage) => ({
    'api.json': manifest(stage, 'api', { token: { generate } }),
    'calm.json': manifest(stage, 'calm', { token: { generate } }),
    'hand.json': manifest(stage, 'hand', { token: { every: '30d' } }),
  }));
  const exposed = new Set(['api token', 'hand token']);
  const operator = await lives.begin({ exposed: (_, name, entry) => exposed.has(`${name} ${entry}`) });
  await operator.look();
  exposed.delete('api token');
  await look(operator);
  assert.match((await read(lives, 'api')) ?? '', /^[0-9a-f]{64}$/);
  assert.equal(await read(lives, 'calm'), 'first');
  assert.equal(await read(lives, 'hand'), 'first');
  assert.deepEqual(
    operator.rotation.troubles().map(({ code, data }) => `${code} ${data.name} ${data.entry}`),
    ['ROTATE_DUE hand token'],
  );
  const made = (await lives.stage.audit()).filter(({ step }) => step === 'made');
  assert.deepEqual(
    made.map(({ name, reason }) => `${name} ${reason}`),
    ['api exposed'],
  );
  await operator.end();
});

test('a person’s word makes a value anew once, and is recorded; one for what nobody rotates is said to be so', async (t) => {
  const rule = { generate: { kind: 'hex' } };
  const lives = await Lives.open(t, (stage) => ({ 'api.json': manifest(stage, 'api', { token: rule }) }));
  const operator = await lives.begin();
  await look(operator);
  assert.equal(await read(lives, 'api'), 'first');
  const actor = { kind: 'host', user: 'ada', uid: 1000 } as const;
  const ask = (secret: string) => askForValue(lives.stage.path('state'), { secret, entry: 'token', actor }, new Date());
  await ask('payments/api');
  await ask('payments/nothing');
  for (const wrong of ['payments', 'payments/api/x', '../etc', 'Payments/api'])
    await assert.rejects(ask(wrong), { code: 'ROTATE_WORD' });
  await look(operator, 6);
  const value = await read(lives, 'api');
  assert.match(value ?? '', /^[0-9a-f]{64}$/);
  const made = (await lives.stage.audit()).filter(({ step }) => step === 'made');
  assert.deepEqual(
    made.map((record) => [record.reason, record.actor]),
    [['asked', actor]],
  );
  assert.deepEqual(
    operator.rotation.troubles().map(({ code }) => code),
    ['ROTATE_ASKED'],
  );
  lives.clocks.pass(2 * DAY);
  await look(operator);
  assert.deepEqual(operator.rotation.troubles(), []);
  assert.equal(await read(lives, 'api'), value);
  await operator.end();
});

test('what somebody else put where proposals are published goes, though nothing is to be proposed', async (t) => {
  const rule = { every: '30d', generate: { kind: 'hex' } };
  const lives = await Lives.open(t, (stage) => ({ 'api.json': manifest(stage, 'api', { token: rule }) }));
  const forged = lives.stage.path('state', 'proposals', 'values-production.jsonl');
  mkdirSync(dirname(forged), { recursive: true });
  writeFileSync(forged, '{}\n');
  const operator = await lives.begin({ mayPush: false });
  await look(operator);
  assert.equal(existsSync(forged), false);
  await operator.end();
});

test('where a clock jumps a year ahead, a few begin at a time; those that are exposed do not wait', async (t) => {
  const rule = { every: '30d', generate: { kind: 'hex' } };
  const names = Array.from({ length: 12 }, (_, index) => `secret-${String(index).padStart(2, '0')}`);
  const lives = await Lives.open(t, (stage) =>
    Object.fromEntries(names.map((name) => [`${name}.json`, manifest(stage, name, { token: rule })])),
  );
  const exposed = new Set<string>();
  const operator = await lives.begin({ exposed: (_, name) => exposed.has(name) });
  const changed = async () =>
    (await Promise.all(names.map((name) => read(lives, name)))).filter((value) => value !== 'first').length;
  await look(operator);
  lives.clocks.wall += 365 * DAY;
  await look(operator, 5);
  assert.equal(await changed(), 5);
  for (const name of names.slice(-3)) exposed.add(name);
  await operator.look();
  exposed.clear();
  await look(operator, 2);
  assert.equal(await changed(), 8);
  lives.clocks.pass(10 * 60_000);
  await look(operator);
  assert.equal(await changed(), 12);
  lives.clocks.wall -= 400 * DAY;
  const before = await Promise.all(names.map((name) => read(lives, name)));
  await look(operator);
  assert.deepEqual(await Promise.all(names.map((name) => read(lives, name))), before);
  await operator.end();
});

test('since when values are there is written once it can be, and not only when another one comes', async (t) => {
  const rule = { every: '30d', generate: { kind: 'hex' } };
  const lives = await Lives.open(t, (stage) => ({ 'api.json': manifest(stage, 'api', { token: rule }) }));
  const [identity, away] = [lives.stage.path('keys', 'production.identity'), lives.stage.path('away')];
  const seen = lives.stage.path('state', 'rotations', 'seen.json');
  const operator = await lives.begin();
  renameSync(identity, away);
  await operator.look();
  assert.deepEqual(
    operator.rotation.troubles().map(({ code }) => code),
    ['ROTATE_NO_IDENTITY'],
  );
  assert.equal(existsSync(seen), false);
  renameSync(away, identity);
  await operator.look();
  assert.equal(existsSync(seen), true);
  await operator.end();
});

test('secrets that cannot begin, however many, keep no other from its turn', async (t) => {
  const [stuck, sound] = ['unheard-of', 'sound'].map((rotator) => ({ token: { every: '30d', rotator } }));
  const names = Array.from({ length: 12 }, (_, index) => `a-${index}`);
  const lives = await Lives.open(t, (stage) => ({
    ...Object.fromEntries(names.map((name) => [`${name}.json`, manifest(stage, name, stuck ?? {})])),
    'z.json': manifest(stage, 'z', sound ?? {}),
  }));
  const run: [string, ...string[]] = ['/bin/sh', '-c', `echo '{"result":"done"}'`];
  const operator = await lives.begin({ rotators: [{ name: 'sound', secrets: ['payments/z'], command: { run } }] });
  await operator.look();
  lives.clocks.wall += 31 * DAY;
  // Five have their turn at each; none of those has one again before the last has had its first.
  await look(operator, 5);
  assert.notEqual(await read(lives, 'z'), 'first');
  assert.equal(operator.rotation.troubles().length, names.length, 'and all of them are told');
  await operator.end();
});

test('what waits to be collected is sealed again when a recipient is new or has another key, and to nobody unconfirmed', async (t) => {
  const rule = { every: '30d', generate: { kind: 'hex' } };
  const staging = testCluster('staging');
  const lives = await Lives.open(t, (stage) => ({
    ...recipientFiles(staging),
    'api.json': manifest(stage, 'api', { token: rule }),
  }));
  const { stage } = lives;
  const published = () => readFileSync(stage.path('state/proposals/values-production.jsonl'), 'utf8');
  const operator = await lives.begin({ mayPush: false });
  await look(operator);
  lives.clocks.pass(31 * DAY);
  await look(operator);
  assert.doesNotMatch(published(), /staging/);
  const text = readFileSync(join(stage.tree.directory, 'api.json'), 'utf8');
  await stage.tree.commit({ 'api.json': withSpec(text, { recipients: ['production', 'staging'] }) });
  await look(operator);
  assert.deepEqual(
    operator.rotation.troubles().map(({ code }) => code),
    ['RECIPIENT_UNPINNED'],
  );
  assert.match(operator.rotation.troubles()[0]?.advice ?? '', /`coffer recipients list staging --pins`/);
  writeFileSync(stage.path('pins'), `staging ${identityText(staging.recipient.identity)}\n`, { flag: 'a' });
  lives.clocks.pass(HOUR);
  await look(operator);
  assert.deepEqual(operator.rotation.troubles(), []);
  assert.match(published(), /staging/);
  await operator.end();
});

test('a command gets the value on its standard input alone, and its answer decides', async (t) => {
  const lives = await Lives.open(t, (stage) => ({
    'api.json': manifest(stage, 'api', { token: { every: '30d', rotator: 'api-tokens', keepPrevious: '1h' } }),
  }));
  const { stage } = lives;
  // Keeps what it is asked, and answers as the file says.
  const program = stage.path('program');
  const [asked, answer] = [stage.path('asked'), stage.path('answer')];
  writeFileSync(
    program,
    `#!/bin/sh\n{ echo "$# $(env | cut -d= -f1 | sort | tr '\\n' ' ')"; cat; } >>${asked}\ncat ${answer}\nexec 2>/dev/null\n`,
  );
  chmodSync(program, 0o755);
  writeFileSync(answer, '{"message":"the service says no"}\n{"result":"failed"}\n');
  const rotators = [
    { name: 'api-tokens', secrets: ['payments/api'], command: { run: [program, 'one'], timeout: '20s' } },
  ];
  const operator = await lives.begin({ rotators });
  await look(operator);
  lives.clocks.pass(31 * DAY);
  await look(operator);
  assert.deepEqual(
    operator.rotation.troubles().map(({ code }) => code),
    ['ROTATOR_COMMAND_FAILED'],
  );
  assert.equal(await read(lives, 'api'), 'first');

  writeFileSync(answer, 'chat\n{"result":"done"}\n');
  lives.clocks.pass(HOUR);
  await look(operator);
  const value = (await read(lives, 'api')) ?? '';
  assert.match(value, /^\w{32}$/);
  lives.clocks.pass(2 * HOUR);
  await look(operator);
  const lines = readFileSync(asked, 'utf8').trimEnd().split('\n');
  const environment = lines.filter((line) => line.startsWith('1 '));
  assert.ok(
    environment.every((line) => /^1 (LANG |OLDPWD |PATH |PWD |SHLVL |_ )+$/.test(line)),
    environment.join(),
  );
  const questions = lines.flatMap((line) => (line.startsWith('{"protocol"') ? [JSON.parse(line)] : []));
  assert.deepEqual(
    questions.map(({ step }) => step),
    ['install', 'install', 'verify', 'retire'],
  );
  assert.deepEqual(questions[0], {
    protocol: 1,
    step: 'install',
    rotator: 'api-tokens',
    entry: 'token',
    exposed: false,
  });
  const values = lines.filter((line) => /^\{"(former|next)"/.test(line)).slice(-2);
  assert.deepEqual(
    values.map((line) => JSON.parse(line)),
    [{ former: Buffer.from('first').toString('base64') }, { next: Buffer.from(value).toString('base64') }],
  );
  await operator.end();
  for (const file of ['audit', 'state']) assert.ok(!readAll(stage.path(file)).includes(value));
});

function readAll(folder: string): string {
  const { globSync, statSync } = process.getBuiltinModule('node:fs');
  const files = globSync('**/*', { cwd: folder }).map((name) => join(folder, name));
  return files
    .filter((file) => statSync(file).isFile())
    .map((file) => readFileSync(file, 'latin1'))
    .join('\n');
}
