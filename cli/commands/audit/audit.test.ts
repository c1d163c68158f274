import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { DirectoryStore } from '../../../core/audit/directory-store.ts';
import { openAuditLog } from '../../../core/audit/open-log.ts';
import type { AuditRecord } from '../../../core/audit/record.ts';
import { sodiumReady } from '../../../core/crypto/sodium.ts';
import { identityText, parseIdentitySecret } from '../../../core/keys/key-texts.ts';
import { Tamperer } from '../../../test/audit/tampering.ts';
import { fill } from '../../../test/audit/written-log.ts';
import { Desk } from '../../../test/cli/desk.ts';
import { closing } from '../../../test/servers/listening.ts';
import { type TestSigner, testSigner } from '../../../test/support/log-signer.ts';

const KID = '9f86d081884c7d659a2feaa0c55ad015';
const HOSTILE = 'Eve \u001b[2J\u0007\nsecond \u009b2J\u202eline';

const RECORDS: (AuditRecord & { day: string })[] = [
  { day: '01', event: 'operator.started', cluster: 'production', actor: { kind: 'operator', host: 'vm-1' } },
  {
    day: '02',
    event: 'secret.intent',
    namespace: 'payments',
    name: 'db',
    entries: ['password'],
    keyIds: [KID],
    workloads: ['payments/api'],
  },
  { day: '03', event: 'secret.outcome', namespace: 'payments', name: 'db', outcome: 'written' },
  { day: '04', event: 'commit.accepted', commit: 'a'.repeat(40), author: { name: HOSTILE, email: 'eve@example.com' } },
  { day: '05', event: 'key.changed', recipient: 'production', keyIds: [KID], change: 'made' },
];

const desk = new Desk();
const folder = mkdtempSync(join(tmpdir(), 'coffer-audit-cli-'));
const [log, staging] = [join(folder, 'production'), join(folder, 'staging')];
let signer: TestSigner;
let first: string;
after(() => {
  desk.remove();
  rmSync(folder, { recursive: true });
});

before(async () => {
  await sodiumReady();
  desk.coffer(['init']);
  const signers: TestSigner[] = [];
  for (const name of ['production', 'staging']) {
    desk.coffer(['recipients', 'create', name, '--type', 'cluster', '--key-dir', '../keys']);
    const key = readFileSync(join(desk.home, 'keys', `${name}.identity`), 'utf8');
    const line = key.split('\n').find((text) => text.startsWith('COFFER-IDENTITY-1-')) ?? assert.fail();
    signers.push(testSigner(parseIdentitySecret(Buffer.from(line))));
  }
  const [production, other] = signers;
  signer = production ?? assert.fail();
  let day = '01';
  const now = () => new Date(`2026-11-${day}T09:00:00Z`);
  const writer = await openAuditLog(log, { cluster: 'production', now, signer, reserve: 4096 });
  for (const { day: when, ...record } of RECORDS) {
    day = when;
    await writer.append([record]);
  }
  await writer.sign();
  first = join(folder, 'first');
  cpSync(join(log, 'checkpoint'), first);
  day = '06';
  await fill(writer, 600);
  await writer.close();
  const options = { cluster: 'staging', now, signer: other ?? assert.fail(), reserve: 4096 };
  const second = await openAuditLog(staging, options);
  await second.append([{ event: 'log.witnessed', origin: writer.origin, checkpoint: writer.checkpoint ?? '' }]);
  await second.close();
});

/** Another place for a copy of the production log. */
function copy(name: string): Tamperer {
  return Tamperer.copy(log, join(folder, name), 600);
}

function running(...args: string[]): ChildProcess {
  return spawn(process.execPath, [desk.program, ...args], { cwd: desk.folder, env: desk.environment, stdio: 'ignore' });
}

/** The log as a server gives it, where it `answers`; its URL. */
async function served(t: TestContext, answers: () => boolean): Promise<string> {
  const store = new DirectoryStore(log);
  const server = createServer((request, response) => {
    if (!answers()) return;
    void store.read((request.url ?? '').replace('/audit/', ''), 1e9).then((bytes) => {
      response.writeHead(bytes === undefined ? 404 : 200).end(bytes);
    });
  });
  t.after(closing(server));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/audit/`;
}

describe('coffer audit verify', () => {
  test('believes the identity that is pinned for the cluster, or that is given, and no other', () => {
    const { stdout } = desk.try(['audit', 'verify', '--log', log, '--checkpoint', first]);
    assert.match(
      stdout,
      /^coffer\.dev\/audit\/production\/[0-9a-f]{16}: 600 records, root [A-Za-z0-9+/]{43}=\n {2}identity coffer-identity-1-\S+, which \S+ pins\n {2}as it was signed; \d+ checkpoints agree\n$/,
    );
    const elsewhere = { cwd: folder };
    const identity = identityText(signer.publicKey);
    assert.equal(desk.try(['audit', 'verify', '--log', log, '--identity', identity], elsewhere).status, 0);
    assert.equal(
      desk.try(['audit', 'verify', '--log', log, '--identity', `production=${identity}`], elsewhere).status,
      0,
    );
    const other = identityText(testSigner().publicKey);
    const replaced = desk.try(['audit', 'verify', '--log', log, '--identity', other], elsewhere);
    assert.deepEqual([replaced.status, /replaced-key: /.test(replaced.stdout)], [1, true], replaced.stdout);
    assert.ok(replaced.stdout.includes(`  identity ${other}, as --identity says\n`), replaced.stdout);
    const unknown = desk.try(['audit', 'verify', '--log', log], elsewhere);
    assert.deepEqual([unknown.status, /AUDIT_IDENTITY_UNKNOWN/.test(unknown.stderr)], [3, true]);
  });

  test('says where a record was edited, and exits with 1', () => {
    const edited = copy('edited');
    edited.entryTile(1, (entries) => entries.with(143, Tamperer.edited(entries[143] ?? assert.fail())));
    const { status, stdout } = desk.try(['audit', 'verify', '--log', edited.directory, '--json']);
    const { ok, logs } = JSON.parse(stdout);
    assert.deepEqual(
      [status, ok, logs[0].findings],
      [1, false, [{ kind: 'edited', from: 400, to: 400, message: 'record 400 was edited' }]],
    );
  });

  test('finds a log that was put back by what the log of another replica has seen of it', () => {
    const back = copy('back');
    back.rebuild(back.entries().slice(0, 5));
    cpSync(first, back.path('checkpoint'));
    back.remove('checkpoints');
    assert.equal(desk.try(['audit', 'verify', '--log', back.directory]).status, 0, 'alone it looks whole');
    const { status, stdout } = desk.try(['audit', 'verify', '--log', staging, '--log', back.directory]);
    assert.deepEqual([status, /truncated: the records 6 to 600 were signed/.test(stdout)], [1, true], stdout);
  });

  test('reads a log over HTTP', async (t) => {
    const url = await served(t, () => true);
    const [code] = await once(running('audit', 'verify', '--log', url), 'exit');
    assert.equal(code, 0);
  });

  test('leaves nothing of a bundle that is interrupted', async (t) => {
    const parts = () => readdirSync(desk.folder).filter((name) => name.startsWith('interrupted'));
    let interrupted: string[] = [];
    const url = await served(t, () => {
      if (parts().length === 0) return true;
      interrupted = parts();
      return !child.kill('SIGINT');
    });
    const child = running(
      'audit',
      'bundle',
      '--log',
      url,
      '--from',
      '2026-11-01',
      '--to',
      '2026-12-01',
      '-o',
      'interrupted',
    );
    const [code] = await once(child, 'exit');
    assert.deepEqual([code, interrupted.length, parts()], [130, 1, []]);
  });

  test('says what is wrong with what it is given', () => {
    for (const [args, code, status] of [
      [['audit', 'verify', '--log', folder], 'AUDIT_NO_LOG', 3],
      [['audit', 'verify', '--log', 'http://127.0.0.1:1/audit'], 'AUDIT_URL', 3],
      [['audit', 'verify'], 'USAGE', 2],
      [['audit', 'show', '--log', log, '--since', 'yesterday'], 'TIME_INVALID', 2],
      [['audit', 'prove', '601', '--log', log], 'AUDIT_RECORD_UNKNOWN', 1],
      [['audit', 'verify', '--proof', first], 'AUDIT_PROOF_INVALID', 1],
      [['audit', 'verify', '--proof', '/dev/zero'], 'AUDIT_FILE', 3],
      [['audit', 'verify', '--log', log, '--checkpoint', 'nowhere'], 'AUDIT_FILE', 3],
      [['audit', 'verify', '--log', log, '--checkpoint', join(log, 'origin')], 'AUDIT_CHECKPOINT_INVALID', 1],
    ] as const) {
      const ran = desk.try(args);
      assert.deepEqual([ran.status, ran.stderr.split(' ')[1]], [status, `${code}:`], ran.stderr);
    }
    for (const [command, what] of [
      ['verify', '--log or --proof is missing'],
      ['show', '--log is missing'],
    ] as const)
      assert.match(desk.try(['audit', command]).stderr, new RegExp(`^error USAGE: ${what}$`, 'm'));
    const { stderr } = desk.try(['audit', 'verify', '--log', log, '--checkpoint', first, '--checkpoint', desk.program]);
    assert.ok(stderr.includes(desk.program), stderr);
  });
});

describe('coffer audit show', () => {
  test('prints whole records with --json, and the newest with --last', () => {
    const args = ['audit', 'show', '--log', log, '--json', '--until', '2026-11-06', '--event', 'secret', '--last', '1'];
    const { records } = JSON.parse(desk.coffer(args));
    assert.equal(records.length, 1);
    assert.deepEqual([records[0].sequence, records[0].outcome], [3, 'written']);
    assert.match(records[0].log, /^coffer\.dev\/audit\/production\//);
  });

  test('shows several logs as one history, and no more of it than is asked for', () => {
    const args = ['audit', 'show', '--log', staging, '--log', log, '--json', '--last', '600'];
    const records: { log: string; time: string; sequence: number }[] = JSON.parse(desk.coffer(args)).records;
    assert.equal(records.length, 600, 'of 601');
    const times = records.map(({ time }) => time);
    assert.deepEqual(times, times.toSorted());
    assert.equal(new Set(records.map((record) => record.log)).size, 2);
  });

  test('lets nothing of a record steer a terminal or look like another line', () => {
    const shown = desk.coffer(['audit', 'show', '--log', log, '--actor', 'eve@']);
    assert.equal(shown.split('\n').length, 2);
    desk.coffer(['audit', 'prove', '4', '--log', log, '-o', join(folder, 'hostile')]);
    const proven = desk.coffer(['audit', 'verify', '--proof', join(folder, 'hostile')]);
    assert.match(proven, /Eve \\u001b\[2J/);
    for (const text of [shown, proven.replaceAll('\n', '')])
      for (const character of text.trimEnd()) {
        const isSteering = character < ' ' || (character >= '\u007f' && character < '\u00a0') || character === '\u202e';
        assert.ok(!isSteering, JSON.stringify(text));
      }
    assert.match(shown, /commit\.accepted {2}commit aaaaaaaaaaaa {2}author Eve/);
    assert.match(desk.coffer(['audit', 'show', '--log', log, '--actor', 'vm-1']), /operator\.started {2}on vm-1\n$/);
  });
});

describe('coffer audit prove', () => {
  test('gives a text that verifies without the log, and only as it is', () => {
    const file = join(folder, 'proof');
    desk.coffer(['audit', 'prove', '2', '--log', log, '-o', file]);
    const { record, size } = JSON.parse(desk.coffer(['audit', 'verify', '--proof', file, '--json']));
    assert.deepEqual([record.sequence, record.name, size], [2, 'db', 600]);
    const text = readFileSync(file, 'utf8');
    const extra = /^extra (.*)$/m.exec(text)?.[1] ?? '';
    const other = Buffer.from(Buffer.from(extra, 'base64').toString().replace('payments', 'Payments')).toString(
      'base64',
    );
    for (const changed of [
      text.replace(extra, other),
      text.replace('index 1\n', 'index 2\n'),
      text.replace('\n600\n', '\n601\n'),
    ]) {
      writeFileSync(file, changed);
      assert.equal(desk.try(['audit', 'verify', '--proof', file]).status, 1, changed);
    }
  });
});

describe('coffer audit bundle', () => {
  const bundle = join(folder, 'bundle');
  const verify = (...args: string[]) => {
    const { logs } = JSON.parse(readFileSync(join(bundle, 'bundle.json'), 'utf8'));
    const flags = logs.flatMap(({ identity, origin }: Record<string, string>) => [
      '--identity',
      `${origin?.split('/')[2]}=${identity}`,
    ]);
    return desk.try(['audit', 'verify', '--log', bundle, ...flags, ...args], { cwd: folder });
  };
  const OF_THAT_TIME = ['--from', '2026-11-02', '--to', '2026-11-03'];

  test('holds all that is needed offline, for several clusters, and no more text than that of its time', () => {
    desk.coffer(['audit', 'bundle', '--log', log, '--log', staging, ...OF_THAT_TIME, '-o', bundle]);
    const { stdout, status } = verify(...OF_THAT_TIME);
    assert.equal(status, 0, stdout);
    assert.match(stdout, /600 records.*\n.*\n {2}of which the records 1 to 256 are here/);
    const names = readdirSync(join(bundle, 'logs'), { recursive: true, encoding: 'utf8' });
    assert.equal(names.filter((name) => /entries\/.*\d$/.test(name)).length, 2);
    assert.match(readFileSync(join(bundle, 'README.md'), 'utf8'), /production.*600 \| 1 to 256/);
    const shown = desk.coffer(['audit', 'show', '--log', bundle, '--secret', 'payments/db']);
    assert.equal(shown.trimEnd().split('\n').length, 2);
  });

  test('is not believed in what it says of itself: who verifies says which time it has to cover', () => {
    assert.match(verify().stdout, /absent: the text of the records 257 to 600 is not here: say with --from/);
    const later = verify('--from', '2026-11-06');
    assert.deepEqual([later.status, /absent: the text of the records 257 to 600/.test(later.stdout)], [1, true]);
    const file = join(bundle, 'bundle.json');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('"to": 256', '"to": 0'));
    assert.match(verify(...OF_THAT_TIME).stdout, /absent: the text of the records 1 to 600/);
    writeFileSync(file, text);
    const hidden = readdirSync(join(bundle, 'logs'), { recursive: true, encoding: 'utf8' });
    rmSync(join(bundle, 'logs', hidden.find((name) => /entries\/000$/.test(name)) ?? assert.fail()));
    assert.match(verify(...OF_THAT_TIME).stdout, /deleted: the records 1 to 256/);
  });

  test('is not written over what is there', () => {
    const { status, stderr } = desk.try(['audit', 'bundle', '--log', log, '--from', '2026-11-01', '-o', `${bundle}/`]);
    assert.deepEqual([status, /exists already/.test(stderr)], [3, true], stderr);
  });

  test('with a table of contents that has no end is not read to its end', () => {
    const endless = join(folder, 'endless');
    mkdirSync(endless);
    symlinkSync('/dev/zero', join(endless, 'bundle.json'));
    const { status, stderr } = desk.try(['audit', 'verify', '--log', endless]);
    assert.deepEqual([status, /AUDIT_BUNDLE_INVALID/.test(stderr)], [1, true], stderr);
  });

  test('is none where it lies in the directory of a log, or names no logs: whoever owns the disk could let all of it verify', () => {
    const changed = copy('as-bundle');
    changed.remove('tile/entries/000');
    writeFileSync(changed.path('bundle.json'), readFileSync(join(bundle, 'bundle.json')));
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    writeFileSync(join(empty, 'bundle.json'), '{"logs":[]}');
    for (const place of [changed.directory, empty]) {
      const { status, stderr } = desk.try(['audit', 'verify', '--log', place]);
      assert.deepEqual([status, /AUDIT_BUNDLE_INVALID/.test(stderr)], [1, true], stderr);
    }
  });
});

describe('a log that is not among those that are verified', () => {
  test('is missed where another has seen it, unless somebody says why', () => {
    const { status, stdout } = desk.try(['audit', 'verify', '--log', staging]);
    const [, id = ''] =
      /missing-log: this log has seen coffer\.dev\/audit\/production\/([0-9a-f]{16}), of 600/.exec(stdout) ?? [];
    assert.equal(status, 1, stdout);
    assert.equal(desk.try(['audit', 'verify', '--log', staging, '--without', id]).status, 0);
    assert.equal(desk.try(['audit', 'verify', '--log', staging, '--log', log]).status, 0);
  });

  test('is missed where somebody kept a checkpoint of it, with several logs too', async () => {
    const options = { cluster: 'production', now: () => new Date(), signer, reserve: 4096 };
    const others = ['begun-anew', 'and-another'].map((name) => join(folder, name));
    for (const directory of others) {
      const writer = await openAuditLog(directory, options);
      await fill(writer, 20);
      await writer.close();
    }
    const flags = others.flatMap((directory) => ['--log', directory]);
    assert.equal(desk.try(['audit', 'verify', ...flags]).status, 0);
    for (const some of [flags, flags.slice(0, 2)]) {
      const { status, stdout } = desk.try(['audit', 'verify', ...some, '--checkpoint', first]);
      assert.deepEqual([status, /^replaced-log: .*none of these logs/m.test(stdout)], [1, true], stdout);
    }
  });
});
