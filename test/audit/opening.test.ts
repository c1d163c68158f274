import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DirectoryStore } from '../../core/audit/directory-store.ts';
import type { LogSigner } from '../../core/audit/log.ts';
import { checkpointText, parseCheckpoint } from '../../core/audit/note/checkpoint.ts';
import { noteOf } from '../../core/audit/note/signed-note.ts';
import { openAuditLog } from '../../core/audit/open-log.ts';
import { leafHash } from '../../core/audit/tree/merkle.ts';
import { TreeEdge } from '../../core/audit/tree/right-edge.ts';
import { verifyLog } from '../../core/audit/verify.ts';
import { Retention } from '../../core/audit/writer/retention.ts';
import { CofferError } from '../../core/errors.ts';
import { readRecords } from '../support/audit-lines.ts';
import { testSigner } from '../support/log-signer.ts';
import { goVerifier } from './go-verifier.ts';
import { Tamperer } from './tampering.ts';
import { fill, logDirectory, options, type WrittenLog, writeLog, writtenLog } from './written-log.ts';

const { edited } = Tamperer;

/** What was done while no operator ran, and what keeps it from signing that. */
const CHANGES: Record<string, [(log: Tamperer) => void | Promise<void>, string]> = {
  'a record of the journal that is signed was edited': [
    (log) => {
      const text = readFileSync(log.path('journal'), 'utf8');
      writeFileSync(log.path('journal'), edited(Buffer.from(text)));
    },
    'AUDIT_ROLLED_BACK',
  ],
  'all was made anew, from the first record on': [
    (log) => log.rebuild(log.entries().map((entry, at) => (at === 0 ? edited(entry) : entry))),
    'AUDIT_ROLLED_BACK',
  ],
  'the journal lost a record in its middle': [
    (log) => {
      const lines = readFileSync(log.path('journal'), 'utf8').split('\n');
      writeFileSync(log.path('journal'), lines.toSpliced(-10, 1).join('\n'));
    },
    'AUDIT_DAMAGED',
  ],
  'the journal was emptied': [(log) => writeFileSync(log.path('journal'), ''), 'AUDIT_DAMAGED'],
  'the journal was removed': [(log) => rmSync(log.path('journal')), 'AUDIT_DAMAGED'],
  'its name was removed': [(log) => rmSync(log.path('origin')), 'AUDIT_DAMAGED'],
  'its name is that of another': [
    (log) => writeFileSync(log.path('origin'), `coffer.dev/audit/staging/${'0'.repeat(16)}\n`),
    'AUDIT_DAMAGED',
  ],
  'its checkpoint is of another log': [
    (log) => {
      const text = readFileSync(log.path('checkpoint'), 'utf8');
      writeFileSync(log.path('checkpoint'), text.replaceAll(/\/[0-9a-f]{16}/g, `/${'0'.repeat(16)}`));
    },
    'AUDIT_DAMAGED',
  ],
  'its checkpoint is none': [(log) => writeFileSync(log.path('checkpoint'), 'hello\n'), 'AUDIT_CHECKPOINT_INVALID'],
  'all was made anew and signed by another key': [
    async (log) => {
      const entries = log.entries().map((entry, at) => (at === 0 ? edited(entry) : entry));
      log.rebuild(entries);
      const edge = new TreeEdge();
      for (const entry of entries) edge.append(leafHash(entry));
      const root = edge.root().toString('base64');
      const { origin } = parseCheckpoint(readFileSync(log.path('checkpoint'), 'utf8'));
      const text = `${origin}\n${entries.length}\n${root}\n`;
      const { publicKey, signature } = (await testSigner().sign(Buffer.from(text))) ?? assert.fail();
      writeFileSync(log.path('checkpoint'), noteOf(text, origin, publicKey, signature));
    },
    'AUDIT_KEY_REPLACED',
  ],
};

describe('a log that was changed while no operator ran is not signed over', () => {
  const folder = mkdtempSync(join(tmpdir(), 'coffer-opening-'));
  let written: WrittenLog;
  before(async () => {
    written = await writeLog(join(folder, 'log'), 300, 600);
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const [name, [change, code]] of Object.entries(CHANGES)) {
    test(`${name}: ${code}`, async (t) => {
      const log = Tamperer.copy(written.directory, join(logDirectory(t), 'copy'), 600);
      await change(log);
      const opened = openAuditLog(log.directory, options(written.signer));
      await assert.rejects(opened, (error) => error instanceof CofferError && error.code === code && error.exit !== 2);
    });
  }

  test('put back as it was earlier: refused by whoever remembers a later checkpoint', async (t) => {
    const { directory, signer, checkpoints } = await writtenLog(t, 5);
    const earlier = join(logDirectory(t), 'earlier');
    cpSync(directory, earlier, { recursive: true });
    const log = await openAuditLog(directory, options(signer));
    await fill(log, 10);
    await log.close();
    const known = [log.checkpoint ?? ''];
    await assert.rejects(openAuditLog(earlier, options(signer, { known })), {
      code: 'AUDIT_ROLLED_BACK',
      loop: 'stop',
    });
    await (await openAuditLog(directory, options(signer, { known: [...known, ...checkpoints] }))).close();
  });

  test('whoever remembers a checkpoint that the identity did not sign stops nothing', async (t) => {
    const { directory, signer, origin } = await writtenLog(t, 5);
    const root = randomBytes(32);
    const claims = [3, 5, 10_000].map((size) => checkpointText({ origin, size, root }));
    const stranger = testSigner();
    const known: string[] = [];
    for (const text of claims) {
      const { publicKey, signature } = (await stranger.sign(Buffer.from(text))) ?? assert.fail();
      known.push(noteOf(text, origin, publicKey, signature), noteOf(text, origin, signer.publicKey, signature));
    }
    const log = await openAuditLog(directory, options(signer, { known }));
    await fill(log, 10);
    await log.sign();
    assert.deepEqual([log.problems, log.size], [[], 10]);
    await log.close();
  });

  test('put back as it was, while the identity cannot be read: not signed over when it can be', async (t) => {
    const { directory, signer } = await writtenLog(t, 5);
    const earlier = join(logDirectory(t), 'earlier');
    cpSync(directory, earlier, { recursive: true });
    const first = await openAuditLog(directory, options(signer));
    await fill(first, 10);
    await first.close();
    let isThere = false;
    const late: LogSigner = {
      sign: async (text) => (isThere ? await signer.sign(text) : undefined),
      journalKey: async () => undefined,
    };
    const log = await openAuditLog(earlier, options(undefined, { signer: late, known: [first.checkpoint ?? ''] }));
    await fill(log, 20);
    isThere = true;
    await assert.rejects(log.sign(), { code: 'AUDIT_ROLLED_BACK', loop: 'stop' });
    await log.close();
    assert.equal(parseCheckpoint(log.checkpoint ?? '').size, 5);
  });

  test('with an identity that cannot be read yet: opened, and not signed over when it can be', async (t) => {
    const { directory } = await writtenLog(t, 5);
    let signer: LogSigner | undefined;
    const late: LogSigner = { sign: async (text) => await signer?.sign(text), journalKey: async () => undefined };
    const log = await openAuditLog(directory, options(undefined, { signer: late }));
    await log.append([{ event: 'operator.started' }]);
    await assert.rejects(log.sign(), { code: 'AUDIT_UNSIGNED' });
    // Not the one that signed before.
    signer = testSigner();
    await assert.rejects(log.sign(), { code: 'AUDIT_KEY_REPLACED', loop: 'stop' });
    await log.close();
    assert.equal(parseCheckpoint(log.checkpoint ?? '').size, 5);
  });
});

test('without an identity records are durable, the status says so, and the first checkpoint covers all of them, doubted', async (t) => {
  const [directory, signer] = [logDirectory(t), testSigner()];
  let isThere = false;
  const late: LogSigner = {
    sign: async (text) => (isThere ? await signer.sign(text) : undefined),
    journalKey: async (origin) => (isThere ? await signer.journalKey(origin) : undefined),
  };
  const log = await openAuditLog(directory, options(undefined, { signer: late }));
  await fill(log, 300);
  await assert.rejects(log.sign(), { code: 'AUDIT_UNSIGNED', loop: 'retry' });
  await log.close();
  assert.deepEqual(
    log.problems.map(({ code }) => code),
    ['AUDIT_UNSIGNED'],
  );
  isThere = true;
  const again = await openAuditLog(directory, options(undefined, { signer: late }));
  await again.sign();
  assert.deepEqual([again.problems, parseCheckpoint(again.checkpoint ?? '').size], [[], 301]);
  await again.close();
  const last = (await Array.fromAsync(readRecords(directory))).at(-1);
  assert.deepEqual([last?.event, last?.count], ['log.recovered', 300]);
});

test('what is older than it is to be kept is forgotten, a record says so, and the tree stays', async (t) => {
  const [directory, signer] = [logDirectory(t), testSigner()];
  let day = 1;
  const now = () => new Date(Date.UTC(2026, 10, day));
  const open = () => openAuditLog(directory, options(signer, { now, keep: 10 * 86_400_000 }));
  const first = await open();
  await fill(first, 600);
  await first.sign();
  const early = first.checkpoint ?? '';
  day = 5;
  await fill(first, 1000);
  await first.close();
  day = 13;
  const log = await open();
  let uptime = 0;
  const retention = new Retention(directory, log, { now, keep: 10 * 86_400_000, uptime: () => uptime });
  for (; uptime <= 86_400_000; uptime += 43_200_000) await retention.prune(768);
  await log.close();
  // The third tile has records of the fifth day.
  const report = await verifyLog(new DirectoryStore(directory), { identity: signer.publicKey, checkpoints: [early] });
  assert.deepEqual([report.findings, report.pruned, report.size], [[], 512, 1001]);
  // Nothing else may be missing.
  rmSync(join(directory, 'tile/entries/002'));
  const { findings } = await verifyLog(new DirectoryStore(directory), { identity: signer.publicKey });
  assert.deepEqual(
    findings.map(({ kind, from, to }) => [kind, from, to]),
    [['deleted', 513, 768]],
  );
  const go = await goVerifier(t);
  if (go === undefined) return;
  const said = (pruned: string) =>
    go({ directory, origin: log.origin, publicKey: signer.publicKey }, '-pruned', pruned);
  assert.match(await said('768'), /^ok 1001 /);
  assert.doesNotMatch(await said('512'), /^ok/);
});
