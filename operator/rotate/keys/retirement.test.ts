import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { createRecipient } from '../../../core/keys/create.ts';
import { identityText } from '../../../core/keys/key-texts.ts';
import { openRetiredSeed } from '../../../core/keys/retired-key.ts';
import { joinRequest, renderRequest, requestFile, retireRequest } from '../../../core/requests/request.ts';
import { KeysStage, look } from '../../../test/rotate/keys-stage.ts';
import {
  recipientFiles,
  sealingKey,
  type TestRecipient,
  testCluster,
  testGroup,
} from '../../../test/support/secrets.ts';
import { sealedElsewhere } from './elsewhere.ts';
import type { KeyRotationOptions } from './key-rotation.ts';

const HOUR = 3_600_000;

/** Which a search for the ids does not find, and the reader reads. */
function withEscapedIds(manifest: string): string {
  return manifest.replaceAll(
    /"([0-9a-f])([0-9a-f]{31}:)/g,
    (_, first: string, rest: string) => `"\\u00${first.charCodeAt(0).toString(16)}${rest}`,
  );
}

/** A cluster whose key was followed by another, and a request to delete the former one. */
class Retiring {
  readonly stage: KeysStage;
  readonly recovery: TestRecipient;
  readonly former: string;
  readonly seed: Buffer;
  readonly request: string;

  private constructor(parts: Pick<Retiring, 'stage' | 'recovery' | 'former' | 'seed' | 'request'>) {
    this.stage = parts.stage;
    this.recovery = parts.recovery;
    this.former = parts.former;
    this.seed = parts.seed;
    this.request = parts.request;
  }

  static async open(
    t: TestContext,
    files: (stage: KeysStage) => Record<string, string> = () => ({}),
  ): Promise<Retiring> {
    const stage = await KeysStage.open(t);
    const recovery = createRecipient({ name: 'recovery', type: 'recovery', created: '2026-11-21T09:00:00Z' });
    const former = sealingKey(stage.production).kid;
    await stage.ask();
    await look(stage.operator());
    await stage.collect();
    await look(stage.operator());
    const wanted = { recipient: 'production', key: former, created: '2026-11-21T10:00:00Z' };
    const request = retireRequest(wanted);
    const wish = { [requestFile(request.id)]: renderRequest(request) };
    await stage.commit({ ...recipientFiles(recovery), ...wish, ...files(stage) });
    writeFileSync(join(stage.root, 'pins'), `recovery ${identityText(recovery.recipient.identity)}\n`);
    return new Retiring({ stage, recovery, former, seed: Buffer.from(stage.production.seed), request: request.id });
  }

  async look(options: Partial<KeyRotationOptions> = {}): Promise<string[]> {
    const operator = this.stage.operator(options);
    const codes = await look(operator);
    this.shown = operator.status().keys?.map(({ id }) => id) ?? [];
    this.deleteAfter = operator.status().keys?.find(({ id }) => id === this.former)?.deleteAfter;
    this.said = operator
      .troubles()
      .map(({ message }) => message)
      .join('\n');
    return codes;
  }

  said = '';
  /** Ids of the keys in the status. */
  shown: string[] = [];
  deleteAfter: string | undefined;
}

describe('a request to delete a key', () => {
  test('is done when nothing hangs on it, and its seed is what the recovery recipient opens', async (t) => {
    const host = await Retiring.open(t);
    const { stage, former, recovery } = host;
    stage.records.length = 0;
    assert.deepEqual(await host.look(), []);
    assert.deepEqual(await stage.kids(), [stage.listed.keys[0]?.kid]);
    assert.deepEqual(host.shown, await stage.kids());
    assert.deepEqual(stage.told('key.changed'), [`archived ${host.request}`, `deleted ${host.request}`]);
    const kept = JSON.parse(readFileSync(join(stage.root, 'retired-keys', `${former}.json`), 'utf8'));
    const opening = { ...sealingKey(recovery), seed: recovery.seed };
    const opened = openRetiredSeed(kept.seed.recovery, { recipient: kept.recipient, kid: kept.key }, opening);
    assert.deepEqual(opened, host.seed);
    assert.deepEqual(await stage.collect(), [requestFile(host.request)]);
    assert.deepEqual(await host.look(), []);
    assert.equal(stage.proposal(), undefined);
  });

  test('waits for the grace, which a clock that jumps does not shorten', async (t) => {
    const host = await Retiring.open(t);
    const { stage } = host;
    const grace = 3 * 24 * HOUR;
    const waits = async (left: number) => {
      assert.deepEqual(await host.look({ grace }), []);
      assert.equal((await stage.kids()).length, 2);
      assert.equal(host.deleteAfter, new Date(stage.now.getTime() + left).toISOString());
    };
    await waits(3 * 24 * HOUR);
    stage.now = new Date(stage.now.getTime() + 1000 * 24 * HOUR);
    await waits(2 * 24 * HOUR);
    stage.now = new Date(stage.now.getTime() - 1000 * 24 * HOUR);
    await waits(2 * 24 * HOUR);
    for (let day = 2; day > 0; day--) {
      await waits(day * 24 * HOUR);
      stage.now = new Date(stage.now.getTime() + 24 * HOUR);
    }
    assert.deepEqual(await host.look({ grace }), []);
    assert.equal((await stage.kids()).length, 1);
  });

  test('that waits for the grace is no trouble and is not refused; the output says so once, and when it ends', async (t) => {
    const host = await Retiring.open(t);
    const { stage, former } = host;
    const lines: string[] = [];
    const log = { info: (line: string) => void lines.push(line), thrown: () => {} };
    const operator = stage.operator({ grace: HOUR, log });
    assert.deepEqual(await look(operator), []);
    await stage.commit({ README: 'of nothing' });
    assert.deepEqual(await look(operator), []);
    const waiting = lines.filter((line) => line.includes(former));
    assert.equal(waiting.length, 1);
    assert.match(waiting[0] ?? '', /when its grace has passed/);
    assert.deepEqual(stage.told('request.refused'), []);
  });

  const staging = { created: '2026-11-21T10:00:00Z', like: 'production', recipient: 'staging' };
  const HANGING: Record<string, [files: (stage: KeysStage) => Record<string, string>, said: RegExp]> = {
    'a manifest that does not open by it': [
      (stage) => ({ 'db.yaml': stage.manifest('db', { password: 'one' }).replace('"payments"', '"billing"') }),
      /db\.yaml/,
    ],
    'a manifest that writes the key’s id with an escape and opens all the same': [
      (stage) => ({ 'db.yaml': withEscapedIds(stage.manifest('db', { password: 'one' })) }),
      /db\.yaml/,
    ],
    'a manifest that cannot be read': [
      (stage) => ({ 'db.yaml': stage.manifest('db', { password: 'one' }).replace('"recipients"', '"recipient"') }),
      /db\.yaml/,
    ],
    'the seed of a group': [
      (stage) => recipientFiles(testGroup('team', stage.production, [stage.production])),
      /recipients\/team\.yaml/,
    ],
    'an open request': [
      () => {
        const { identity } = testCluster('staging').recipient;
        const request = joinRequest({ ...staging, identity });
        return { [requestFile(request.id)]: renderRequest(request) };
      },
      /requests\/join-/,
    ],
  };

  for (const [what, [files, said]] of Object.entries(HANGING)) {
    test(`is refused while ${what} hangs on it, which is named`, async (t) => {
      const host = await Retiring.open(t, files);
      assert.ok((await host.look()).includes('RETIRE_HANGS'));
      assert.match(host.said, said);
      assert.equal((await host.stage.kids()).length, 2);
      assert.equal(existsSync(join(host.stage.root, 'retired-keys')), false);
      assert.deepEqual(host.stage.told('request.refused'), [`RETIRE_HANGS ${host.request}`]);
    });
  }

  test('is refused while anything beside git is sealed to it: what is projected, objects, rotations under way', async (t) => {
    const host = await Retiring.open(t);
    const { stage } = host;
    const text = stage.manifest('db', { password: 'one' });
    const rotations = async () => new Map<string, string>();
    const elsewhere = { sources: [stage.source], rotations, lastGood: () => [], objects: () => [] };
    const lastGood = () => [{ home: 'payments/db', source: stage.source.id, blob: '', text }];
    const objects = () => [{ home: 'payments/other', text: Buffer.from(text) }];
    const hangs = (parts: Partial<typeof elsewhere>) =>
      host.look({ elsewhere: (kid) => sealedElsewhere(kid, { ...elsewhere, ...parts }) });
    assert.deepEqual(await hangs({ lastGood: lastGood as () => never[] }), ['RETIRE_HANGS']);
    assert.match(host.said, /what is projected of payments\/db/);
    assert.deepEqual(await hangs({ objects: objects as () => never[] }), ['RETIRE_HANGS']);
    assert.match(host.said, /the EncryptedSecret payments\/other/);
    for (const written of [text, withEscapedIds(text)]) {
      const file = JSON.stringify({ file: { path: 'db.yaml', text: written } });
      assert.deepEqual(await hangs({ rotations: async () => new Map([['db', file]]) }), ['RETIRE_HANGS']);
      assert.match(host.said, /the rotation db/);
    }
    assert.equal((await stage.kids()).length, 2);
  });

  test('is refused for a key that is active, or nobody’s, and where no recovery recipient is confirmed', async (t) => {
    const host = await Retiring.open(t);
    const { stage } = host;
    writeFileSync(join(stage.root, 'pins'), '');
    const ask = (key: string) => {
      const request = retireRequest({ recipient: 'production', key, created: '2026-11-21T10:00:00Z' });
      return { [requestFile(request.id)]: renderRequest(request) };
    };
    await stage.commit({ ...ask(stage.listed.keys[0]?.kid ?? ''), ...ask('ab'.repeat(16)) });
    const codes = await host.look();
    assert.deepEqual(new Set(codes), new Set(['RETIRE_NO_RECOVERY', 'RETIRE_KEY_ACTIVE', 'RETIRE_KEY_UNKNOWN']));
    assert.equal((await stage.kids()).length, 2);
  });
});
