import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { CofferError } from '../../core/errors.ts';
import type { Proposal } from '../../core/rotation/proposal.ts';
import { KeysStage, look } from '../../test/rotate/keys-stage.ts';
import { WorkTree } from '../../test/servers/work-tree.ts';
import { recipientFiles } from '../../test/support/secrets.ts';
import type { Pusher } from '../push/pusher.ts';
import { openGitSource } from '../source/open-git-source.ts';

/** A branch that is protected until somebody says otherwise. */
class Branch implements Pusher {
  isProtected = true;
  readonly asked: { proposal: Proposal; message: string }[] = [];

  async push(proposal: Proposal, message: string) {
    this.asked.push({ proposal, message });
    if (!this.isProtected) return { commit: 'c0'.repeat(20), branch: 'main', isNew: true };
    throw new CofferError('PUSH_REJECTED', 'protected', { advice: '', loop: 'retry' });
  }

  close(): void {}
}

describe('what is proposed', () => {
  test('is published where a push is refused, which is told and tried again, and not pushed twice', async (t) => {
    const stage = await KeysStage.open(t);
    const branch = new Branch();
    const woken: string[] = [];
    const wake = (source: string) => woken.push(source);
    const operator = stage.operator({ pushers: new Map([[stage.source.id, branch]]), wake });
    const id = await stage.ask();
    for (let looks = 0; looks < 2; looks++) assert.deepEqual(await look(operator), ['PUSH_REJECTED']);
    assert.ok(stage.proposal());
    branch.isProtected = false;
    for (let looks = 0; looks < 2; looks++) assert.deepEqual(await look(operator), []);
    assert.equal(branch.asked.length, 3);
    assert.deepEqual(woken, [stage.source.id]);
    assert.equal(branch.asked[0]?.message, `Rotate the key of production\n\nFulfils: ${id}\n`);
    const steps = stage.records.filter(({ event }) => event === 'rotation.step');
    assert.deepEqual(
      steps.map(({ step, branch: to, proposal }) => [step, to, proposal]),
      [['pushed', 'main', 'rewrap-production']],
    );
    assert.equal((await stage.kids()).length, 2);
  });

  test('is the same key for every repository that lists the cluster, with the keys that the others know', async (t) => {
    const stage = await KeysStage.open(t);
    const tree = await WorkTree.init(join(stage.root, 'other'));
    await tree.commit({ ...recipientFiles(stage.production), 'other.yaml': stage.manifest('other', { token: 'two' }) });
    const other = await openGitSource({ url: tree.directory }, stage.root);
    t.after(() => other.close());
    await stage.commit({ 'db.yaml': stage.manifest('db', { password: 'one' }) });
    await stage.ask();
    const operator = stage.operator({ sources: [stage.source, other] });
    // Nobody knows yet what the other one says.
    assert.deepEqual(await look(operator), []);
    assert.equal((await stage.kids()).length, 1);
    await other.poll(t.signal);
    await look(operator);
    assert.equal(stage.proposal()?.stanzas.size, 2);
    await stage.collect();
    await look(operator);
    const [made] = stage.listed.keys;
    const left = stage.proposal();
    assert.equal(left?.stanzas.size, 1);
    assert.ok(left?.recipient?.text.includes(made?.kid ?? '-'));
    assert.equal((await stage.kids()).length, 2);
  });

  test('is published once, and put back where somebody removed it: by and by, whether or not anything else changes', async (t) => {
    const stage = await KeysStage.open(t);
    await stage.commit({ 'db.yaml': stage.manifest('db', { password: 'one' }) });
    await stage.ask();
    let clock = 0;
    const operator = stage.operator({ clock: () => clock });
    const file = join(stage.root, 'proposals', 'rewrap-production.jsonl');
    assert.deepEqual(await look(operator), []);
    const published = readFileSync(file, 'utf8');
    rmSync(file);
    clock += 599_000;
    await stage.commit({ README: 'other' });
    assert.deepEqual(await look(operator), []);
    assert.equal(existsSync(file), false);
    clock += 1000;
    assert.deepEqual(await look(operator), []);
    assert.equal(readFileSync(file, 'utf8'), published);
    assert.deepEqual(stage.told('key.changed').slice(1), ['announced']);
  });

  test('is told to people once, with the command that takes it over, where nobody pushes it', async (t) => {
    const stage = await KeysStage.open(t);
    const id = await stage.ask();
    const lines: string[] = [];
    const log = { info: (line: string) => void lines.push(line), thrown: () => undefined };
    const branch = new Branch();
    branch.isProtected = false;
    const pushing = stage.operator({ pushers: new Map([[stage.source.id, branch]]), log });
    const operator = stage.operator({ log });
    await look(pushing);
    const ofCollecting = () => lines.filter((line) => line.startsWith('to be collected'));
    assert.deepEqual([branch.asked.length, ofCollecting()], [1, []]);
    for (let looks = 0; looks < 2; looks++) await look(operator);
    const file = join(stage.root, 'proposals', 'rewrap-production.jsonl');
    const command = `coffer recipients rewrap production --from-file ${file}`;
    assert.deepEqual(ofCollecting(), [`to be collected: Rotate the key of production: ${command}`]);
    assert.deepEqual(stage.proposal()?.fulfils, [id]);
  });

  test('is nothing while the record cannot be written: no key is made, and nothing is opened', async (t) => {
    const stage = await KeysStage.open(t);
    await stage.commit({ 'db.yaml': stage.manifest('db', { password: 'one' }) });
    await stage.ask();
    const full = new CofferError('AUDIT_UNWRITABLE', 'full', { advice: '', loop: 'retry' });
    const operator = stage.operator({ audit: { append: () => Promise.reject(full) } });
    assert.deepEqual(await look(operator), ['AUDIT_UNWRITABLE']);
    assert.equal((await stage.kids()).length, 1);
    assert.equal(stage.proposal(), undefined);
    assert.deepEqual(await look(stage.operator()), []);
    assert.equal((await stage.kids()).length, 2);
  });
});
