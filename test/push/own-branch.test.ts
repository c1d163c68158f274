import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { test } from 'node:test';
import { CofferError } from '../../core/errors.ts';
import { recipientFile } from '../../core/keys/create.ts';
import { never, Pushing } from './pushing.ts';

const OWN = 'coffer/rotation';
const PRODUCTION = recipientFile('production');
const STAGING = recipientFile('staging');

async function following(t: Parameters<typeof Pushing.open>[0]) {
  const bench = await Pushing.open(t);
  const git = { ...(await bench.configOf('http')), push: { branch: OWN } };
  const source = await bench.source(git);
  await source.poll(never);
  const push = async (proposal: ReturnType<Pushing['proposal']>) => {
    await source.poll(never);
    return bench.pusher(git, source).push(proposal, `Rotate ${proposal.id}`, never);
  };
  return { bench, git, source, push };
}

test('proposals stand upon each other on a branch of its own, which is as it was until the followed one changes there', async (t) => {
  const { bench, push } = await following(t);
  const main = await bench.head();
  const [one, other] = [bench.proposal('production'), bench.proposal('staging')];
  const first = await push(one);
  const second = await push(other);
  assert.ok(first !== 'nothing' && second !== 'nothing' && first.isNew && second.isNew && first.branch === OWN);
  assert.equal(await bench.head(), main);
  assert.equal(await bench.inBare('rev-list', '--reverse', `main..${OWN}`), `${first.commit}\n${second.commit}`);
  const asItWas = { ...second, isNew: false };
  assert.deepEqual([await push(one), await push(other)], [asItWas, asItWas]);

  await bench.push({ 'notes.txt': 'elsewhere' });
  assert.deepEqual(await push(one), asItWas);

  // Somebody else changes the same file: what was proposed is made anew, upon that.
  const theirs = await bench.push({ [PRODUCTION]: `${await bench.file(PRODUCTION)}\n# seen\n` });
  const again = await push(one);
  assert.ok(again !== 'nothing' && again.isNew);
  assert.equal(await bench.inBare('merge-base', 'main', OWN), theirs);
  assert.equal(await bench.inBare('diff', '--name-only', 'main', OWN), `${PRODUCTION}\n${STAGING}`);
  assert.match(await bench.file(PRODUCTION, OWN), /# seen/);
});

test('what one proposal says now takes the place of what it said, and the others stay, also where they are pushed at once', async (t) => {
  const { bench, git, source } = await following(t);
  const pusher = bench.pusher(git, source);
  const push = (of: 'production' | 'staging') => pusher.push(bench.proposal(of), `Rotate ${of}`, never);
  await Promise.all([push('production'), push('staging')]);
  await push('production');
  const subjects = await bench.inBare('log', '--format=%s', `main..${OWN}`);
  assert.equal(subjects, 'Rotate staging\nRotate production');
  assert.equal((await bench.file(PRODUCTION, OWN)).match(/publicKey/g)?.length, 2);
  assert.equal((await bench.file(STAGING, OWN)).match(/publicKey/g)?.length, 2);
});

test('once people merged it, nothing is left to push, and what comes next begins at their merge', async (t) => {
  const { bench, push } = await following(t);
  const one = bench.proposal('production');
  await push(one);
  await bench.tree.git('fetch', '-q', 'origin');
  await bench.tree.git('reset', '-q', '--hard', 'origin/main');
  await bench.tree.git('merge', '-q', '--no-ff', '-m', 'Merge', `origin/${OWN}`);
  await bench.tree.git('push', '-q', 'origin', 'HEAD:main');
  assert.equal(await push(one), 'nothing');
  const next = await push(bench.proposal('staging'));
  assert.ok(next !== 'nothing');
  assert.equal(await bench.inBare('rev-parse', `${OWN}~1`), await bench.head());
});

test('what the same proposal said before is replaced, and never what people put upon it', async (t) => {
  const { bench, push } = await following(t);
  await push(bench.proposal('production'));
  const newer = bench.proposal('production');
  const pushed = await push(newer);
  assert.ok(pushed !== 'nothing' && pushed.isNew);
  assert.equal(await bench.inBare('rev-list', '--count', `main..${OWN}`), '1');
  const theirs = await bench.push({ 'review.txt': 'wait' }, OWN);
  await assert.rejects(
    push(bench.proposal('production')),
    (error) => error instanceof CofferError && error.code === 'PUSH_BRANCH_FOREIGN',
  );
  assert.equal(await bench.head(OWN), theirs);
});

test('a branch that the operator made before its state was lost is known by its signature', async (t) => {
  const { bench, git, push } = await following(t);
  await push(bench.proposal('production'));
  await rm(bench.stateOf(), { recursive: true });
  const source = await bench.source(git);
  await source.poll(never);
  const pushed = await bench.pusher(git, source).push(bench.proposal('staging'), 'Rotate', never);
  assert.ok(pushed !== 'nothing' && pushed.isNew);
  assert.equal(await bench.inBare('diff', '--name-only', 'main', OWN), STAGING);
});

test('a server that lets no branch be replaced keeps it, and says so', async (t) => {
  const { bench, push } = await following(t);
  await bench.inBare('config', 'receive.denyNonFastForwards', 'true');
  await push(bench.proposal('production'));
  const before = await bench.head(OWN);
  await bench.push({ [PRODUCTION]: `${await bench.file(PRODUCTION)}\n# seen\n` });
  await assert.rejects(
    push(bench.proposal('production')),
    (error) => error instanceof CofferError && error.code === 'PUSH_REJECTED' && /non-fast-forward/.test(error.message),
  );
  assert.equal(await bench.head(OWN), before);
});
