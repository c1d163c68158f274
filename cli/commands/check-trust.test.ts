import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Desk } from '../../test/cli/desk.ts';
import { SigningKey, signNothing } from '../../test/cli/signing.ts';

const MANIFEST = 'payments/db.yaml';
const EXAMPLE = join(import.meta.dirname, '../../examples/trust');

let blank: Desk;
let desk: Desk;

/** The policy of examples/trust, where a pull request cannot change it. */
const policy = () => join(desk.home, 'trust', 'policy.yaml');
const judge = (...more: string[]) => desk.try(['check', '--trust', policy(), '--since', 'accepted', ...more]);
const sign = (name: string) => desk.git('config', 'user.signingkey', join(desk.home, `${name}-signing-key.pub`));
const head = () => desk.git('rev-parse', 'HEAD').trim();

before(() => {
  blank = new Desk();
  const [ada, sam, eve] = ['ada@payments.example', 'sam@security.example', 'eve@payments.example'].map(
    (name) => new SigningKey(blank, name),
  ) as [SigningKey, SigningKey, SigningKey];
  mkdirSync(join(blank.home, 'trust'));
  writeFileSync(join(blank.home, 'trust', 'policy.yaml'), readFileSync(join(EXAMPLE, 'policy.yaml')));
  writeFileSync(join(blank.home, 'trust', 'allowed_signers'), ada.allowed + sam.allowed + eve.allowed);
  writeFileSync(join(blank.home, 'trust', 'revoked_keys'), readFileSync(`${eve.file}.pub`));
  sam.use();
  blank.coffer(['init', '--no-hook']);
  blank.coffer(['recipients', 'create', 'production', '--type', 'cluster', '--key-dir', join(blank.home, 'keys')]);
  blank.coffer(
    ['new', 'payments/db', '--recipient', 'production', '--reader', 'api', '--from-env-file', '-', '-o', MANIFEST],
    'password=one\n',
  );
  blank.commit('Begin');
  blank.git('branch', 'accepted');
});

beforeEach(() => {
  desk?.remove();
  desk = new Desk(blank);
  sign('ada@payments.example');
});

after(() => {
  blank.remove();
  desk.remove();
});

function setPassword(): void {
  desk.coffer(['set', MANIFEST, 'password'], 'two');
  desk.commit('Another password');
}

function letReportsRead(): void {
  desk.coffer(['grant', MANIFEST, 'reports']);
  desk.commit('Let reports read it');
}

describe('coffer check --trust', () => {
  test('takes what its signer may change, and says of how many commits', () => {
    setPassword();
    const { status, stdout, stderr } = judge();
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /^1 commit since accepted \([0-9a-f]{12}\), judged as mode strict: an operator takes it\.$/m);
    assert.equal(stderr, '');
  });

  test('refuses an unsigned commit, and the command that it advises mends it', () => {
    signNothing(desk);
    setPassword();
    letReportsRead();
    sign('sam@security.example');
    const { status, stdout } = judge();
    assert.equal(status, 1, stdout);
    assert.match(stdout, /CHECK_TRUST_SIGNATURE/);
    assert.match(stdout, new RegExp(`commit ${head().slice(0, 12)}.* Ada <ada@example\\.com>`));
    const advised = /Sign it \(`(git rebase [^`]+)`/.exec(stdout)?.[1] ?? '';
    assert.equal(desk.run('sh', ['-c', advised]).status, 0, advised);
    const { status: again, stdout: then } = judge();
    assert.equal(again, 0, then);
  });

  test('refuses what its signer may not change, and says whose commit, what of it, and who may; their endorsement is enough', () => {
    setPassword();
    letReportsRead();
    const { status, stdout } = judge();
    assert.equal(status, 1, stdout);
    const [line = ''] = stdout.split('\n').filter((one) => one.includes('CHECK_TRUST_NOT_GRANTED'));
    for (const part of [head().slice(0, 12), 'Ada <ada@example.com>', 'reports', 'ada@payments.example', 'readers']) {
      assert.ok(line.includes(part), `${part}: ${line}`);
    }
    assert.match(stdout, /\*@security\.example/);
    assert.match(stdout, /an operator refuses 1 of them/);
    const advised = /`(coffer endorse [0-9a-f]+)`/.exec(stdout)?.[1]?.split(' ').slice(1) ?? [];
    desk.coffer(advised);
    assert.equal(judge().status, 1, 'an endorsement by who may not is nothing');
    sign('sam@security.example');
    desk.coffer(advised);
    const { status: endorsed, stdout: then } = judge();
    assert.equal(endorsed, 0, then);
  });

  test('tells programs and code hosts the same', () => {
    letReportsRead();
    const { findings, trust } = JSON.parse(judge('--json').stdout);
    const [found] = findings;
    assert.equal(found.rule, 'CHECK_TRUST_NOT_GRANTED');
    assert.equal(found.data.file, MANIFEST);
    assert.equal(found.data.commit, head());
    assert.equal(found.trust.author, 'Ada <ada@example.com>');
    assert.equal(found.trust.code, 'TRUST_NOT_GRANTED');
    assert.equal(found.trust.aspect, 'payments/db spec.readers[reports]');
    assert.ok(found.advice.includes('coffer endorse'));
    assert.deepEqual(
      { ...trust, since: '', head: '' },
      { since: '', head: '', upstream: 'accepted', commits: 1, mode: 'strict', uncommitted: 0, isPolicyInside: false },
    );
    const { status, stdout } = judge('--sarif');
    assert.equal(status, 1);
    const [result] = JSON.parse(stdout).runs[0].results;
    assert.equal(result.ruleId, 'CHECK_TRUST_NOT_GRANTED');
    assert.equal(result.locations[0].physicalLocation.artifactLocation.uri, MANIFEST);
    assert.ok(result.message.text.includes('coffer endorse'));
  });

  test('judges what is revoked and where it writes', () => {
    sign('eve@payments.example');
    setPassword();
    assert.match(judge().stdout, /revoked.* CHECK_TRUST_SIGNATURE/);
    desk.git('reset', '--quiet', '--hard', 'accepted');
    sign('sam@security.example');
    desk.coffer(
      [
        'new',
        'shop/db',
        '--recipient',
        'production',
        '--reader',
        'api',
        '--from-env-file',
        '-',
        '-o',
        'payments/shop.yaml',
      ],
      'password=one\n',
    );
    desk.commit('Somebody else’s namespace');
    assert.match(judge().stdout, /payments\/shop\.yaml[\s\S]* CHECK_TRUST_NAMESPACE/);
  });

  test('says that it judges commits only, where there is more', () => {
    setPassword();
    desk.write('new', 'x');
    desk.write('staged', 'x');
    desk.git('add', 'staged');
    const { status, stderr } = judge();
    assert.equal(status, 0);
    assert.equal(stderr, '2 files changed and not committed: only commits are judged by --trust.\n');
  });

  test('warns of a policy that the branch itself can change', () => {
    for (const name of ['policy.yaml', 'allowed_signers', 'revoked_keys']) {
      desk.write(`trust/${name}`, readFileSync(join(desk.home, 'trust', name), 'utf8'));
    }
    const run = () => desk.try(['check', '--trust', 'trust/policy.yaml', '--since', 'accepted']).stderr;
    assert.doesNotMatch(run(), /part of this repository/);
    desk.commit('Keep the policy here');
    assert.match(run(), /part of this repository/);
  });

  test('compares with the main branch of origin, from where the two parted', () => {
    const run = () => desk.try(['check', '--trust', policy()]);
    assert.match(run().stderr, /TRUST_SINCE_UNKNOWN[\s\S]*--since origin\/main/);
    desk.git('init', '--quiet', '--bare', '--initial-branch=main', '../origin.git');
    desk.git('remote', 'add', 'origin', '../origin.git');
    signNothing(desk);
    desk.write('README', 'unsigned, and not ours to judge');
    desk.commit('Elsewhere');
    desk.git('push', '--quiet', 'origin', 'main');
    desk.git('remote', 'set-head', 'origin', 'main');
    assert.match(run().stdout, /No commit to judge: origin\/HEAD has all of HEAD/);
    desk.git('reset', '--quiet', '--hard', 'HEAD~');
    desk.git('config', 'commit.gpgsign', 'true');
    sign('ada@payments.example');
    setPassword();
    assert.match(run().stdout, /1 commit since origin\/HEAD/);
  });

  test('refuses a shallow checkout, and says how CI fetches all', () => {
    setPassword();
    desk.git('clone', '--quiet', '--depth=1', `file://${desk.folder}`, '../shallow');
    const cwd = join(desk.home, 'shallow');
    for (const since of ['origin/HEAD~', 'origin/accepted']) {
      const { stderr } = desk.try(['check', '--trust', policy(), '--since', since], { cwd });
      assert.match(stderr, /TRUST_SINCE_UNKNOWN[\s\S]*fetch-depth: 0/);
    }
    desk.git('-C', cwd, 'fetch', '--quiet', '--depth=1', 'origin', 'accepted:accepted');
    const { stderr, status } = desk.try(['check', '--trust', policy(), '--since', 'accepted'], { cwd });
    assert.match(stderr, /TRUST_CHECKOUT_SHALLOW[\s\S]*fetch-depth: 0/);
    assert.equal(status, 3);
    desk.git('-C', cwd, 'fetch', '--quiet', '--unshallow');
    assert.equal(desk.try(['check', '--trust', policy(), '--since', 'accepted'], { cwd }).status, 0);
  });

  test('refuses one that has where the two parted, and not all that was merged since', () => {
    desk.git('checkout', '--quiet', '-b', 'side');
    setPassword();
    desk.write('notes', 'x');
    desk.commit('More');
    desk.git('checkout', '--quiet', 'main');
    desk.git('merge', '--quiet', '--no-ff', '--no-edit', 'side');
    desk.git('clone', '--quiet', '--depth=2', `file://${desk.folder}`, '../shallow');
    const { stderr } = desk.try(['check', '--trust', policy(), '--since', 'HEAD~'], {
      cwd: join(desk.home, 'shallow'),
    });
    assert.match(stderr, /TRUST_CHECKOUT_SHALLOW/);
  });

  test('takes an operator’s configuration: its mode, path, namespaces and policy', () => {
    signNothing(desk);
    desk.write('elsewhere/notes.yaml', 'a: 1\n');
    desk.commit('Not below its path');
    assert.equal(judge().status, 1);
    const file = join(desk.home, 'operator.yaml');
    const example = readFileSync(join(EXAMPLE, 'operator.yaml'), 'utf8');
    writeFileSync(file, example.replace('branch: main', 'path: ./payments/'));
    const run = () => desk.try(['check', '--trust', file, '--since', 'accepted']);
    assert.equal(run().status, 0, run().stdout);
    setPassword();
    assert.match(run().stdout, /judged as mode strict: an operator refuses 1 of them/);
    writeFileSync(file, example.replace('mode: strict', 'mode: "off"').replace('branch: main', 'namespaces: [shop]'));
    desk.coffer(['grant', MANIFEST, 'reports']);
    desk.commit('Unsigned');
    assert.match(run().stdout, /CHECK_TRUST_NAMESPACE/);
    assert.doesNotMatch(run().stdout, /CHECK_TRUST_(SIGNATURE|NOT_GRANTED)/);
  });

  const refused: [string, () => string, string, number][] = [
    ['a file of another kind', () => desk.read(MANIFEST), 'TRUST_FILE_KIND', 2],
    [
      'two documents',
      () => `${readFileSync(policy(), 'utf8')}---\n${readFileSync(policy(), 'utf8')}`,
      'TRUST_FILE_KIND',
      2,
    ],
    [
      'a configuration without a source that has trust',
      () => readFileSync(join(EXAMPLE, '../plain-host/operator.yaml'), 'utf8'),
      'TRUST_FILE_SOURCES',
      2,
    ],
    [
      'a policy with a field that it does not know',
      () => `${readFileSync(policy(), 'utf8')}  grant: []\n`,
      'DOCUMENT_FIELD',
      3,
    ],
  ];
  for (const [what, text, code, exit] of refused) {
    test(`refuses ${what}`, () => {
      writeFileSync(join(desk.home, 'trust', 'other.yaml'), text());
      const file = join(desk.home, 'trust', 'other.yaml');
      const { status, stderr } = desk.try(['check', '--trust', file, '--since', 'accepted']);
      assert.match(stderr, new RegExp(code));
      assert.equal(status, exit);
    });
  }

  test('is for commits: --staged is refused beside it, and --since without it', () => {
    for (const args of [
      ['--trust', policy(), '--staged'],
      ['--since', 'accepted'],
    ]) {
      assert.equal(desk.try(['check', ...args]).status, 2);
    }
  });
});
