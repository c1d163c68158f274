import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { WorkTree } from '../servers/work-tree.ts';
import { eventually } from './site.ts';
import { TrustSite, takes } from './trust-site.ts';

const EVERYTHING = [
  'values',
  'readers',
  'recipients',
  'namespaces',
  'type',
  'template',
  'rotation',
  'deletionPolicy',
  'removal',
];
const POLICY = {
  grants: [
    { signers: ['ada'], paths: ['/payments/**'], may: EVERYTHING },
    { signers: ['eve'], paths: ['/billing/**'], may: EVERYTHING },
    { signers: ['root'], may: [...EVERYTHING, 'keyring', 'rules', 'requests', 'endorse'] },
  ],
  namespaces: [
    { path: '/payments/**', namespaces: ['payments'] },
    { path: '/billing/**', namespaces: ['billing'] },
  ],
};

interface Good {
  /** Sealed to its name. */
  db: string;
  /** Sealed to the cluster, for the namespace payments. */
  wide: string;
}

const toBilling = (manifest: string) => manifest.replace('"namespace": "payments"', '"namespace": "billing"');
const forBilling = (manifest: string) => manifest.replace('"name": "*"', '"name": "billing/api"');
const further = (manifest: string) =>
  manifest.replace(/"namespaces": \[\s*"payments"/, '"namespaces": ["billing", "payments"');

/** What Eve, who may write below billing/ only, makes of Ada's manifests; none of it may show her a value or change Ada's. */
const COPIES: Record<string, (good: Good) => Record<string, string>> = {
  'to her path, as it is': ({ db }) => ({ 'billing/db.yaml': db }),
  'to her path, with her workload as a reader': ({ db }) => ({ 'billing/db.yaml': forBilling(db) }),
  'to her path and namespace': ({ db }) => ({ 'billing/db.yaml': toBilling(db) }),
  'to her path and namespace, under another name': ({ db }) => ({
    'billing/db.yaml': toBilling(db).replace('"name": "db"', '"name": "mine"'),
  }),
  'to her path and namespace, of what is sealed to the cluster': ({ wide }) => ({
    'billing/wide.yaml': toBilling(wide),
  }),
  'to her path, reaching her namespace too': ({ wide }) => ({ 'billing/wide.yaml': further(wide) }),
  'as a second document of a file of hers': ({ db, wide }) => ({ 'billing/card.yaml': JSON.stringify([db, wide]) }),
  'over a file of Ada’s, reaching her namespace too': ({ wide }) => ({ 'payments/wide.yaml': further(wide) }),
  'over a file of Ada’s, for her workload alone': ({ db }) => ({ 'payments/db.yaml': forBilling(db) }),
  'over another file of Ada’s': ({ wide }) => ({ 'payments/db.yaml': wide }),
};

test('a manifest that is copied by who may write elsewhere only shows nothing to anybody and moves nothing', async (t) => {
  const host = await TrustSite.open(t, { people: ['root', 'ada', 'eve'], policy: POLICY, trust: { perPath: true } });
  const good: Good = {
    db: host.manifest('db', 'the password'),
    wide: host.manifest('wide', 'the other', { scope: 'cluster', namespaces: ['payments'] }),
  };
  const files: Record<string, string> = { 'payments/db.yaml': good.db, 'payments/wide.yaml': good.wide };
  const first = await host.commit('root', files);
  // Eve's own repository, of which she is the only signer, and which may write to her namespace only.
  const eves = await WorkTree.init(join(host.site.root, 'eves'));
  await eves.commit({ 'db.yaml': good.db, 'mine.yaml': toBilling(good.db), 'wide.yaml': further(good.wide) });
  const second = { git: { url: 'eves', interval: '1h', namespaces: ['billing'] } };
  const trust = { mode: 'strict', policy: 'policy.yaml', perPath: true, firstCommit: first };
  host.configure({}, {}, { sources: [{ git: { url: 'repository', interval: '1h', trust } }, second] });
  const operator = await host.site.start();
  await operator.line((line) => line.msg === 'projected a commit' && line.commit === first);
  const shown = () =>
    ['payments/api', 'payments/worker', 'billing/api'].flatMap((workload) =>
      ['db', 'mine', 'wide'].flatMap((name) => {
        const value = host.site.read(...workload.split('/'), name, 'password');
        return value === undefined ? [] : [`${workload}/${name}: ${value}`];
      }),
    );
  const ofDb = (workload: string) => [`payments/${workload}/db: the password`, `payments/${workload}/wide: the other`];
  const expected = [...ofDb('api'), ...ofDb('worker')];
  assert.deepEqual(shown(), expected);
  for (const [what, copy] of Object.entries(COPIES)) {
    const copied = copy(good);
    await takes(operator, await host.commit('eve', copied, what));
    assert.deepEqual(shown(), expected, what);
    const back = Object.keys(copied).map((path): [string, string | null] => [path, files[path] ?? null]);
    await host.commit('root', Object.fromEntries(back));
  }
  await eventually(async () => {
    const [, { refused }] = (await operator.status()).sources;
    const told = new Set(refused.map(({ path, code }: { path: string; code: string }) => `${path} ${code}`));
    assert.deepEqual(told, new Set(['db.yaml TRUST_NAMESPACE', 'wide.yaml TRUST_NAMESPACE']));
  });

  // A rule that becomes stricter binds what was accepted before, too: it stays as it is, and is not followed any further.
  host.policy({ ...POLICY, namespaces: [{ path: '/payments/**', namespaces: ['elsewhere'] }] });
  await operator.wake();
  await operator.line(({ code }) => code === 'MANIFEST_NAMESPACE_REFUSED');
  assert.deepEqual(shown(), expected);
  assert.equal(await operator.end(), 0);
});
