import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createRecipient } from '../../core/keys/create.ts';
import { storeSecretKey } from '../../core/keys/key-directory.ts';
import { identityText } from '../../core/keys/key-texts.ts';
import { withNewKey } from '../../core/keys/new-key.ts';
import { renderRequest, requestFile, retireRequest } from '../../core/requests/request.ts';
import { auditLines } from '../support/audit-lines.ts';
import { recipientFiles } from '../support/secrets.ts';
import { runToEnd } from './keys-run.ts';
import { KeysStage } from './keys-stage.ts';

const ROTATOR = join(import.meta.dirname, 'key-rotator.ts');
/** More than there are. */
const MOST = 40;

/** A site that is as it was before each run. */
class Killing {
  readonly stage: KeysStage;
  readonly #before: string;

  constructor(stage: KeysStage) {
    this.stage = stage;
    this.#before = `${stage.root}.before`;
    cpSync(stage.root, this.#before, { recursive: true });
  }

  /** Runs once for each step, killed after it, and looks at what is left; then lets another run go on to the end. Returns the steps. */
  async atEachStep(t: TestContext, look: () => Promise<void>, end: () => Promise<void>): Promise<number> {
    t.after(() => rmSync(this.#before, { recursive: true }));
    for (let steps = 1; steps < MOST; steps++) {
      this.#restore();
      const isKilled = await rotate(this.stage.root, steps);
      await look();
      if (isKilled) await runToEnd(this.stage.root);
      await look();
      await end();
      if (!isKilled) return steps - 1;
    }
    throw new Error('never done');
  }

  #restore(): void {
    for (const name of readdirSync(this.stage.root)) rmSync(join(this.stage.root, name), { recursive: true });
    cpSync(this.#before, this.stage.root, { recursive: true });
  }
}

/** Whether it was killed. */
async function rotate(root: string, steps: number): Promise<boolean> {
  const rotator = spawn(process.execPath, [ROTATOR, root, String(steps)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [code, signal] = await once(rotator, 'exit');
  assert.ok(signal === 'SIGKILL' || code === 0);
  return signal === 'SIGKILL';
}

test('a rotation that is killed after any of its steps ends with one new key, to which everything is sealed, and loses none', async (t) => {
  const stage = await KeysStage.open(t);
  await stage.tree.git('config', 'receive.denyCurrentBranch', 'updateInstead');
  const former = stage.listed.keys[0]?.kid ?? '';
  await stage.commit({ 'db.yaml': stage.manifest('db', { password: 'one' }) });
  await stage.ask();
  const look = async () => {
    const kids = await stage.kids();
    assert.ok(kids.includes(former));
    const proposal = stage.proposal(join(stage.root, 'state'));
    const proposed = [...(proposal?.stanzas.values() ?? [])].map((row) => row.get('production')?.slice(0, 32) ?? '');
    const listed = stage.listed.keys.map(({ kid }) => kid);
    for (const kid of [...proposed, ...listed]) assert.ok(kids.includes(kid), 'sealed to, and not in the store');
    assert.deepEqual(await stage.values('db.yaml'), { password: 'one' });
  };
  const end = async () => {
    const [made, ...others] = stage.listed.keys;
    assert.deepEqual([made?.status, others.map(({ kid, status }) => [kid, status])], ['active', [[former, 'retired']]]);
    assert.deepEqual(stage.stanzasOf('db.yaml'), { [made?.kid ?? '']: 1 });
    assert.deepEqual(new Set(await stage.kids()), new Set([made?.kid, former]));
    assert.equal(existsSync(join(stage.tree.directory, '.coffer/requests')), false);
    assert.equal(stage.proposal(join(stage.root, 'state')), undefined);
    const events = auditLines(join(stage.root, 'audit')).filter(({ keyIds }) => keyIds?.[0] === made?.kid);
    for (const change of ['made', 'announced'])
      assert.ok(
        events.some((line) => line.change === change),
        change,
      );
  };
  assert.ok((await new Killing(stage).atEachStep(t, look, end)) >= 9);
});

test('the end of a key that is killed after any of its steps takes no key away that is not kept for recovery', async (t) => {
  const stage = await KeysStage.open(t);
  await stage.tree.git('config', 'receive.denyCurrentBranch', 'updateInstead');
  const former = stage.listed.keys[0]?.kid ?? '';
  const { key, seed } = stage.anotherKey('2026-11-21T09:30:00Z');
  await storeSecretKey(join(stage.root, 'keys'), seed);
  await stage.list((recipient) => withNewKey(recipient, key, { formerStatus: 'retired' }));
  const recovery = createRecipient({ name: 'recovery', type: 'recovery', created: '2026-11-21T09:00:00Z' });
  writeFileSync(join(stage.root, 'pins'), `recovery ${identityText(recovery.recipient.identity)}\n`);
  const request = retireRequest({ recipient: 'production', key: former, created: '2026-11-21T10:00:00Z' });
  await stage.commit({ ...recipientFiles(recovery), [requestFile(request.id)]: renderRequest(request) });
  const look = async () => {
    const isKept = existsSync(join(stage.root, 'state/retired-keys', `${former}.json`));
    const changes = auditLines(join(stage.root, 'audit')).map(({ change }) => change);
    if ((await stage.kids()).includes(former)) return;
    assert.ok(isKept && changes.includes('archived') && changes.includes('deleted'));
  };
  const end = async () => {
    assert.deepEqual(await stage.kids(), [key.kid]);
    assert.equal(existsSync(join(stage.tree.directory, '.coffer/requests')), false);
  };
  assert.ok((await new Killing(stage).atEachStep(t, look, end)) >= 5);
});
