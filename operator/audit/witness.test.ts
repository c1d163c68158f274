import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkpointText } from '../../core/audit/note/checkpoint.ts';
import { noteOf } from '../../core/audit/note/signed-note.ts';
import type { AuditRecord } from '../../core/audit/record.ts';
import { CofferError } from '../../core/errors.ts';
import { type TestSigner, testSigner } from '../../test/support/log-signer.ts';
import { Witness } from './witness.ts';

const originOf = (id: number) => `coffer.dev/audit/production/${id.toString(16).padStart(16, '0')}`;
const idOf = (id: number) => id.toString(16).padStart(16, '0');

async function noteBy(signer: TestSigner, id: number, size: number): Promise<string> {
  const text = checkpointText({ origin: originOf(id), size, root: Buffer.alloc(32) });
  const { publicKey, signature } = (await signer.sign(Buffer.from(text))) ?? assert.fail();
  return noteOf(text, originOf(id), publicKey, signature);
}

/** A place that anybody may write to, and an identity that comes and goes. */
function scene() {
  const texts = new Map<string, string>();
  const signer = testSigner();
  const at = { identity: signer.publicKey as Buffer | undefined, now: new Date('2026-11-21T09:00:00Z') };
  const store = {
    read: async () => new Map(texts),
    write: async (more: ReadonlyMap<string, string>, gone: readonly string[]) => {
      for (const key of gone) texts.delete(key);
      for (const [key, text] of more) texts.set(key, text);
    },
  };
  const open = async () => {
    const witness = new Witness({ store, identity: async () => at.identity, now: () => at.now });
    await witness.read();
    return witness;
  };
  return { texts, signer, at, open };
}

test('a log is told of what the identity signed, once, as soon as that can be read; of nothing else', async () => {
  const { texts, signer, at, open } = scene();
  texts.set(idOf(1), await noteBy(signer, 1, 100));
  texts.set(idOf(2), await noteBy(testSigner(), 2, 200));
  texts.set(idOf(3), (await noteBy(signer, 3, 300)).replace('\n300\n', '\n999\n'));
  texts.set(idOf(4), await noteBy(signer, 1, 400));
  texts.set(idOf(5), 'x'.repeat(100_000));
  at.identity = undefined;
  const witness = await open();
  assert.deepEqual(await witness.records(), []);
  witness.opened(originOf(9));
  assert.deepEqual(await witness.records(), []);
  at.identity = signer.publicKey;
  const told: AuditRecord[] = [];
  const owe = async (records: readonly AuditRecord[]) => {
    told.push(...records);
    throw new CofferError('AUDIT_FULL', 'The disk is full.', { advice: 'Make room.' });
  };
  await witness.tell(owe);
  await witness.tell(owe);
  assert.deepEqual(told, [{ event: 'log.witnessed', origin: originOf(1), checkpoint: texts.get(idOf(1)) }]);
});

test('beyond 64 logs those go that published longest ago, wherever their names sort', async () => {
  const { texts, signer, at, open } = scene();
  const first = at.now.getTime();
  // The names that sort first published last.
  for (let id = 70; id > 0; id--) {
    const witness = await open();
    at.now = new Date(first + (70 - id) * 60_000);
    witness.checkpointed(await noteBy(signer, id, 10));
    await witness.publish();
  }
  const witness = await open();
  witness.opened(originOf(99));
  assert.equal((await witness.records()).length, 70);
  witness.checkpointed(await noteBy(signer, 99, 1));
  await witness.publish();
  const left = [...texts.keys()].filter((key) => !key.includes('.'));
  assert.deepEqual(left.sort(), [...Array.from({ length: 64 }, (_, at) => idOf(at + 1)), idOf(99)].sort());
  assert.equal(texts.size, 2 * left.length);
});
