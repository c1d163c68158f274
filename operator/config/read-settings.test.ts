import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { onDisk } from '../../test/operator/tmpfs.ts';
import { readSettings } from './read-settings.ts';

const WHOLE = `apiVersion: coffer.dev/v1
kind: OperatorConfig
cluster: production
state: {directory: state}
pins: {file: /etc/coffer/pins}
keys: {directory: keys}
sources:
  - git: {url: ../secrets.git, interval: 250ms, bearerFile: token}
  - git: {url: "https://git.example/secrets.git"}
projections:
  - directory:
      workloads:
        - name: shop/api
          onChange: {command: [systemctl, reload, api]}
  - directory: {path: /run/coffer, workloads: [], heal: 2s}
audit: {directory: audit}
`;

function write(t: TestContext, text: string): string {
  const file = join(onDisk(t), 'operator.yaml');
  writeFileSync(file, text);
  return file;
}

describe("the operator's configuration", () => {
  test('has its defaults, absolute paths and milliseconds', async (t) => {
    const file = write(t, WHOLE);
    const folder = join(file, '..');
    const settings = await readSettings(file);
    assert.equal(settings.stateDirectory, join(folder, 'state'));
    assert.equal(settings.pinsFile, '/etc/coffer/pins');
    assert.equal(settings.sources[0]?.git.url, join(folder, '../secrets.git'));
    assert.equal(settings.sources[0]?.git.bearerFile, join(folder, 'token'));
    assert.equal(settings.sources[0]?.interval, 250);
    assert.equal(settings.sources[1]?.git.url, 'https://git.example/secrets.git');
    assert.equal(settings.sources[1]?.interval, 30_000);
    assert.equal(settings.heal, 2000);
    assert.equal(settings.maxShare, 0.5);
    assert.deepEqual(settings.listen, { host: '127.0.0.1', port: 8780 });
  });

  test('may listen on IPv6 and on a port that the system chooses', async (t) => {
    for (const [text, host, port] of [
      ['"[::1]:9"', '::1', 9],
      ['"127.0.0.1:0"', '127.0.0.1', 0],
      ['"localhost:65535"', 'localhost', 65_535],
    ] as const) {
      assert.deepEqual((await readSettings(write(t, `${WHOLE}serve: {listen: ${text}}\n`))).listen, { host, port });
    }
  });

  test('has the defaults of what it says of Kubernetes, whose cluster is that of its pod', async (t) => {
    const text = WHOLE.replace('audit:', '  - kubernetesSecrets: {namespaces: [a, team-*]}\naudit:');
    const settings = await readSettings(write(t, text));
    assert.deepEqual(settings.kubernetes, { leaderElection: { lease: 'coffer-operator', duration: 15_000 } });
    assert.deepEqual(settings.secrets, { namespaces: ['a', 'team-*'], readers: true, restart: true, resync: 600_000 });
    assert.equal((await readSettings(write(t, WHOLE))).kubernetes, undefined);
  });

  const wrong: [what: string, change: (text: string) => string, code: string, line: number | undefined][] = [
    ['an unknown field', (text) => `${text}wrong: "1"\n`, 'DOCUMENT_FIELD', 17],
    ['a missing field', (text) => text.replace(/^audit.*\n/m, ''), 'DOCUMENT_FIELD', 1],
    ['a workload without a namespace', (text) => text.replace('shop/api', 'api'), 'DOCUMENT_FIELD', 13],
    ['a workload that leads elsewhere', (text) => text.replace('shop/api', '../api'), 'DOCUMENT_FIELD', 13],
    ['a duration without a unit', (text) => text.replace('250ms', '"250"'), 'DOCUMENT_FIELD', 8],
    ['a port that is none', (text) => `${text}serve: {listen: "127.0.0.1:70000"}\n`, 'CONFIG_LISTEN', 17],
    ['an IPv6 address without brackets', (text) => `${text}serve: {listen: "::1:80"}\n`, 'CONFIG_LISTEN', 17],
    ['another kind', () => 'apiVersion: coffer.dev/v1\nkind: Config\n', 'CONFIG_KIND', undefined],
    ['two documents', (text) => `${text}---\n${text}`, 'CONFIG_KIND', undefined],
    ['nothing', () => '', 'CONFIG_KIND', undefined],
    [
      'a vouching source without objects',
      (text) => text.replace('250ms', '1s, carriedBy: objects'),
      'CONFIG_CONTRADICTION',
      7,
    ],
    [
      'objects that may go unverified where nobody looks',
      (text) => text.replace('sources:', 'sources:\n  - encryptedSecrets: {namespaces: [a-*], unverified: [a-b, b]}'),
      'CONFIG_CONTRADICTION',
      7,
    ],
    [
      'a webhook that nobody listens for',
      (text) => text.replace('250ms', '1s, webhook: {from: github, secretFile: hook}'),
      'CONFIG_CONTRADICTION',
      7,
    ],
    [
      'a port for webhooks that no source has',
      (text) => `${text}serve: {webhooks: {listen: "127.0.0.1:0"}}\n`,
      'CONFIG_CONTRADICTION',
      7,
    ],
    [
      'a certificate of the webhooks without its key',
      (text) =>
        `${text.replace('250ms', '1s, webhook: {from: github, secretFile: hook}')}serve: {webhooks: {listen: "127.0.0.1:0", certFile: a}}\n`,
      'CONFIG_CONTRADICTION',
      7,
    ],
    ['trust without a policy', (text) => text.replace('250ms', '1s, trust: {mode: head}'), 'CONFIG_CONTRADICTION', 7],
    [
      'a push to no branch, where tags are followed',
      (text) => text.replace('250ms', '1s, tag: "v*", push: {}'),
      'CONFIG_CONTRADICTION',
      7,
    ],
    ['a context without a kubeconfig', (text) => `${text}kubernetes: {context: c}\n`, 'CONFIG_CONTRADICTION', 7],
    [
      'two projections of Secrets',
      (text) =>
        text.replace(
          'audit:',
          '  - kubernetesSecrets: {namespaces: [a]}\n  - kubernetesSecrets: {namespaces: [b]}\naudit:',
        ),
      'CONFIG_TWICE',
      7,
    ],
  ];
  for (const [what, change, code, line] of wrong) {
    test(`refuses ${what}, with its place`, async (t) => {
      const file = write(t, change(WHOLE));
      await assert.rejects(readSettings(file), (error: { code: string; exit: number; data: object }) => {
        assert.equal(error.code, code);
        assert.equal(error.exit, 2);
        assert.partialDeepStrictEqual(error.data, line === undefined ? { file } : { file, line });
        return true;
      });
    });
  }

  test('says that a file is not there', async (t) => {
    await assert.rejects(readSettings(join(onDisk(t), 'none.yaml')), { code: 'CONFIG_UNREADABLE', exit: 3 });
  });
});
