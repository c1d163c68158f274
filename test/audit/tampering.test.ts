import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DirectoryStore } from '../../core/audit/directory-store.ts';
import { parseCheckpoint } from '../../core/audit/note/checkpoint.ts';
import { noteOf } from '../../core/audit/note/signed-note.ts';
import { openAuditLog } from '../../core/audit/open-log.ts';
import { readLog, reportOn, verifyLog } from '../../core/audit/verify.ts';
import { testSigner } from '../support/log-signer.ts';
import { goVerifier } from './go-verifier.ts';
import { Tamperer } from './tampering.ts';
import { fill, logDirectory, options, type WrittenLog, writeLog, writtenLog } from './written-log.ts';

const SIZE = 1000;
/** Signed at these sizes as well: the log keeps the checkpoints. */
const EARLIER = [300, 700] as const;
/** `KIND FROM-TO`, or the kind alone. */
type Told = readonly string[];

interface Attack {
  does: (log: Tamperer) => void | Promise<void>;
  told: Told;
  /** The checkpoints of EARLIER that whoever verifies has kept, and that of SIZE. */
  given?: readonly number[];
  /** Looks at what Go's verifier has no need to. */
  beyondGo?: true;
}

const { edited } = Tamperer;
const without = (entries: Buffer[], record: number) => entries.toSpliced(record - 1, 1);
const renumbered = (entries: Buffer[]) =>
  entries.map((entry, at) => Buffer.from(entry.toString().replace(/"sequence":\d+/, `"sequence":${at + 1}`)));

const ATTACKS: Record<string, Attack> = {
  'edits a record': {
    does: (log) => log.entryTile(1, (entries) => entries.with(143, edited(entries[143] ?? assert.fail()))),
    told: ['edited 400-400'],
  },
  'edits records in the file, by longer and by shorter texts': {
    does: (log) =>
      log.file('entries', 1, (text) =>
        text
          .replace('"name":"db","operation":"290"', '"name":"database","operation":"290"')
          .replace('"name":"db","operation":"400"', '"name":"","operation":"400"')
          .replace('"name":"db","operation":"512"', '"name":"database","operation":"512"'),
      ),
    told: ['edited 290-290', 'edited 400-400', 'edited 512-512'],
  },
  'takes a record out of the file without its length': {
    does: (log) => log.file('entries', 1, (text) => text.replace(/\{[^{}]*"operation":"400"[^{}]*\}/, '')),
    told: ['edited 400-400'],
  },
  'changes a length alone': {
    does: (log) => log.flip(log.tile('entries', 1), 1),
    told: ['altered-tile'],
  },
  'writes something behind the last record of the file': {
    does: (log) => log.file('entries', 3, (text) => `${text}\n`),
    told: ['altered-tile', 'inserted 1001-'],
  },
  'edits three records': {
    does: (log) => log.entryTiles(log.entries().map((entry, at) => ([0, 1, 999].includes(at) ? edited(entry) : entry))),
    told: ['edited 1-2', 'edited 1000-1000'],
  },
  'edits a record and its leaf hash': {
    does: (log) => {
      log.entryTile(1, (entries) => entries.with(143, edited(entries[143] ?? assert.fail())));
      log.flip(log.tile(0, 1), 143 * 32);
    },
    told: ['edited 257-512'],
  },
  'edits a record and makes all hashes anew': {
    does: (log) => log.rebuild(log.entries().map((entry, at) => (at === 399 ? edited(entry) : entry))),
    told: ['edited 301-700'],
  },
  'edits a record, makes all hashes anew, and removes the checkpoints that the log kept': {
    does: (log) => {
      log.rebuild(log.entries().map((entry, at) => (at === 399 ? edited(entry) : entry)));
      log.remove('checkpoints');
    },
    told: ['edited 1-1000'],
  },
  'the same, before somebody who kept one of 300': {
    does: (log) => {
      log.rebuild(log.entries().map((entry, at) => (at === 399 ? edited(entry) : entry)));
      log.remove('checkpoints');
    },
    given: [300],
    told: ['edited 301-1000'],
  },
  'deletes a record': {
    does: (log) => log.entryTile(1, (entries) => without(entries, 144)),
    told: ['deleted 400-400'],
  },
  'deletes a record and moves up all that follow': {
    does: (log) => log.entryTiles(without(log.entries(), 400)),
    told: ['deleted 400-400'],
  },
  'deletes a record, numbers the others anew, and makes all hashes anew': {
    does: (log) =>
      log.rebuild(renumbered([...without(log.entries(), 400), edited(log.entries()[999] ?? assert.fail())])),
    told: ['edited 301-700'],
  },
  'deletes an entry tile': {
    does: (log) => log.remove(log.tile('entries', 1)),
    told: ['deleted 257-512'],
  },
  'deletes the oldest entry tile, as if it had been forgotten': {
    does: (log) => log.remove(log.tile('entries', 0)),
    told: ['deleted 1-256'],
  },
  'deletes an entry tile and its hashes': {
    does: (log) => log.remove(log.tile('entries', 1), log.tile(0, 1)),
    told: ['deleted 257-512'],
  },
  'puts two records into another order': {
    does: (log) =>
      log.entryTile(1, (entries) => {
        const [one, other] = [entries[143] ?? assert.fail(), entries[144] ?? assert.fail()];
        return entries.with(143, other).with(144, one);
      }),
    told: ['reordered 400-401'],
  },
  'adds a record at the end of an entry tile': {
    does: (log) => log.entryTile(3, (entries) => [...entries, edited(entries[0] ?? assert.fail())]),
    told: ['inserted 1001-'],
  },
  'cuts off the last entry tile': {
    does: (log) => log.remove(log.tile('entries', 3)),
    told: ['truncated 769-1000'],
  },
  'puts back all that was there at 700': {
    does: (log) => {
      log.rebuild(log.entries().slice(0, 700));
      const kept = readFileSync(log.path('checkpoints'), 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line));
      writeFileSync(
        log.path('checkpoint'),
        kept.find((note) => parseCheckpoint(note).size === 700),
      );
      writeFileSync(log.path('checkpoints'), '');
    },
    given: [SIZE],
    told: ['truncated 701-1000'],
  },
  'changes a leaf hash': {
    does: (log) => log.flip(log.tile(0, 2), 8191),
    told: ['altered-tile'],
  },
  'changes a hash above the leaves': {
    does: (log) => log.flip(log.tile(1, 0), 40),
    told: ['altered-tile'],
  },
  'changes the size in the checkpoint': {
    does: (log) => {
      const text = readFileSync(log.path('checkpoint'), 'utf8');
      writeFileSync(log.path('checkpoint'), text.replace('\n1000\n', '\n1001\n'));
    },
    told: ['altered-checkpoint'],
  },
  'removes the checkpoint': {
    does: (log) => log.remove('checkpoint'),
    told: ['unsigned'],
  },
  'signs it all with a key of their own': {
    does: async (log) => {
      log.rebuild(log.entries().map((entry, at) => (at === 399 ? edited(entry) : entry)));
      const { origin, size, root } = parseCheckpoint(readFileSync(log.path('checkpoint'), 'utf8'));
      const text = `${origin}\n${size}\n${root.toString('base64')}\n`;
      const { publicKey, signature } = (await testSigner().sign(Buffer.from(text))) ?? assert.fail();
      writeFileSync(log.path('checkpoint'), noteOf(text, origin, publicKey, signature));
      log.remove('checkpoints');
    },
    told: ['replaced-key'],
  },
  'edits a record in the journal': {
    does: (log) => {
      const lines = readFileSync(log.path('journal'), 'utf8').split('\n');
      const at = lines.findIndex((line) => line.includes('"sequence":999,'));
      writeFileSync(log.path('journal'), lines.with(at, edited(Buffer.from(lines[at] ?? '')).toString()).join('\n'));
    },
    told: ['edited 999-999'],
    beyondGo: true,
  },
  'takes a record out of the journal': {
    does: (log) => {
      const lines = readFileSync(log.path('journal'), 'utf8').split('\n');
      writeFileSync(log.path('journal'), lines.toSpliced(-3, 1).join('\n'));
    },
    told: ['malformed 999-'],
    beyondGo: true,
  },
};

describe('somebody who owns the disk and not the identity', () => {
  let written: WrittenLog;
  const folder = mkdtempSync(join(tmpdir(), 'coffer-tampering-'));
  before(async () => {
    written = await writeLog(folder, ...EARLIER, SIZE);
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const [name, { does, told, given = [], beyondGo }] of Object.entries(ATTACKS)) {
    test(`${name}: found, and where`, async (t) => {
      const { directory, signer, origin, checkpoints } = written;
      const log = Tamperer.copy(directory, join(logDirectory(t), 'copy'), SIZE);
      await does(log);
      const kept = checkpoints.filter((note) => given.includes(parseCheckpoint(note).size));
      const [store, identity] = [new DirectoryStore(log.directory), signer.publicKey];
      const report = await verifyLog(store, { identity, checkpoints: kept });
      assert.deepEqual(inShort(report.findings), told, JSON.stringify(report.findings));
      // The same where another log has seen those checkpoints, which is known when this one was read.
      const seen = await reportOn(await readLog(store, { identity }), kept);
      assert.deepEqual(inShort(seen.findings), told, JSON.stringify(seen.findings));
      assert.equal(seen.checkpoints, report.checkpoints);
      const go = await goVerifier(t);
      if (go === undefined) return;
      const said = await go({ directory: log.directory, origin, publicKey: signer.publicKey });
      const agrees = beyondGo !== true && !given.includes(SIZE);
      assert.equal(said.startsWith('ok '), !agrees, said);
    });
  }

  test('untouched: nothing is found', async () => {
    const { directory, signer, checkpoints } = written;
    const report = await verifyLog(new DirectoryStore(directory), { identity: signer.publicKey, checkpoints });
    assert.deepEqual([report.findings, report.size], [[], SIZE]);
    const seen = await reportOn(
      await readLog(new DirectoryStore(directory), { identity: signer.publicKey }),
      checkpoints,
    );
    assert.deepEqual(seen, report);
  });
});

describe('somebody who has the identity', () => {
  test('signs two histories: whoever kept a checkpoint of the other finds where they part', async (t) => {
    const [first, signer] = [logDirectory(t), testSigner()];
    const log = await openAuditLog(first, options(signer));
    await fill(log, 300);
    await log.sign();
    const fork = Tamperer.copy(first, join(logDirectory(t), 'fork'), 300).directory;
    await fill(log, 700);
    await log.close();
    const other = await openAuditLog(fork, options(signer));
    await other.append([{ event: 'secret.intent', name: 'never shown' }]);
    await fill(other, SIZE);
    await other.close();
    const report = await verifyLog(new DirectoryStore(fork), {
      identity: signer.publicKey,
      checkpoints: [log.checkpoint ?? ''],
    });
    assert.deepEqual(inShort(report.findings), ['forked 301-700']);
    const read = await readLog(new DirectoryStore(fork), { identity: signer.publicKey });
    assert.deepEqual(inShort((await reportOn(read, [log.checkpoint ?? ''])).findings), ['forked 301-700']);
  });

  test('begins another log in its place: whoever kept a checkpoint finds that it is another', async (t) => {
    const [one, other] = [await writtenLog(t, 10), await writtenLog(t, 10)];
    const log = await openAuditLog(other.directory, options(other.signer));
    await log.close();
    const again = logDirectory(t);
    const newer = await openAuditLog(again, options(one.signer));
    await fill(newer, 20);
    await newer.close();
    const { findings } = await verifyLog(new DirectoryStore(again), {
      identity: one.signer.publicKey,
      checkpoints: one.checkpoints,
    });
    assert.deepEqual(inShort(findings), ['replaced-log']);
  });
});

function inShort(findings: readonly { kind: string; from?: number; to?: number }[]): string[] {
  return findings.map(({ kind, from, to }) => (from === undefined ? kind : `${kind} ${from}-${to ?? ''}`));
}
