/** What Gitea makes of a pull request by each of its buttons, and what an operator says of it: docs/trust.md and docs/forges.md. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { test } from 'node:test';
import { eventually, Site } from '../operator/site.ts';
import { type Account, Gitea } from '../servers/gitea.ts';
import { generateKey } from '../servers/sshd.ts';
import { ForgeRepository, type MergeStyle } from './repository.ts';

interface Case {
  /** Of the branch that is merged into, of its folder and its secret. */
  name: string;
  what: MergeStyle | 'edit' | 'update';
  /** Nothing was pushed to the branch since the work began. */
  isFresh?: boolean;
  /** Without the forge’s signature. */
  isBare?: boolean;
  /** What an operator says: nothing, where it takes it. */
  strict?: string;
  head?: string;
}

const CASES: readonly Case[] = [
  { name: 'merge', what: 'merge' },
  { name: 'merge-bare', what: 'merge', isBare: true, strict: 'TRUST_UNSIGNED', head: 'TRUST_UNSIGNED' },
  { name: 'update', what: 'update', strict: 'TRUST_UNSIGNED', head: 'TRUST_UNSIGNED' },
  { name: 'squash', what: 'squash', strict: 'TRUST_NOT_GRANTED' },
  { name: 'rebase', what: 'rebase', strict: 'TRUST_NOT_GRANTED' },
  { name: 'rebase-bare', what: 'rebase', isBare: true, strict: 'TRUST_UNSIGNED', head: 'TRUST_UNSIGNED' },
  { name: 'rebase-fresh', what: 'rebase', isFresh: true },
  { name: 'rebase-merge', what: 'rebase-merge', strict: 'TRUST_NOT_GRANTED' },
  { name: 'forward', what: 'fast-forward-only', isFresh: true },
  { name: 'edit', what: 'edit', strict: 'TRUST_NOT_GRANTED' },
];
const MODES = ['strict', 'head'] as const;
type Mode = (typeof MODES)[number];

const TEAM = { signers: ['ada', 'sam'], paths: ['/a/'], may: ['values'] };
/** In mode `head` whoever merges answers for everything, so the forge needs what people have. */
const GRANTS: Record<Mode, object[]> = { strict: [TEAM], head: [TEAM, { ...TEAM, signers: ['forge'] }] };

/** A source for each case in each mode, with manifests of its own. */
const SOURCES = MODES.flatMap((mode) => CASES.map((of) => ({ of, mode, path: `a/${of.name}/${mode}` })));

function configure(site: Site, git: object, firstCommit: string): void {
  for (const mode of MODES) {
    const spec = { signers: { ssh: { allowedSigners: 'signers' } }, grants: GRANTS[mode] };
    const policy = { apiVersion: 'coffer.dev/v1', kind: 'TrustPolicy', metadata: { name: mode }, spec };
    fs.writeFileSync(site.path(`${mode}.yaml`), JSON.stringify(policy));
  }
  const sources = SOURCES.map(({ of, mode, path }) => {
    const trust = { mode, policy: `${mode}.yaml`, firstCommit };
    return { git: { ...git, branch: of.name, path, trust, interval: '1h' } };
  });
  site.configure({ sources });
}

function manifests(site: Site, of: Case, value: string): Record<string, string> {
  const name = (mode: Mode) => `${of.name}-${mode}`;
  return Object.fromEntries(
    MODES.map((mode) => [`a/${of.name}/${mode}/db.yaml`, site.manifest({ name: name(mode), data: { a: value } })]),
  );
}

/** By the button of somebody in whose account is a key, the forge signs; by anybody else's it does not. */
async function press(
  repository: ForgeRepository,
  of: Case,
  texts: Record<string, string>,
  sam: Account,
): Promise<string> {
  const { name, what } = of;
  const presser = of.isBare === true ? repository.owner : sam;
  if (what === 'edit') {
    for (const [path, text] of Object.entries(texts)) {
      const { sha } = await repository.do('GET', `/contents/${path}?ref=${name}`);
      const content = Buffer.from(text).toString('base64');
      await repository.do('PUT', `/contents/${path}`, { branch: name, sha, content, message: 'Edit' }, presser);
    }
    return repository.head(name);
  }
  const { number } = await repository.open(`${name}-work`, name, presser);
  if (what !== 'update') return repository.merge(number, name, what, presser);
  await repository.do('POST', `/pulls/${number}/update`, undefined, presser);
  return repository.merge(number, name, 'fast-forward-only', presser);
}

test('what an operator says of what Gitea makes by its buttons is what docs/trust.md says', async (t) => {
  const forge = await Gitea.start(t);
  if (forge === undefined) return;
  const site = await Site.open(t);
  const { tree } = site;
  const [ada, sam] = [await forge.account('ada'), await forge.account('sam')];
  const repository = await ForgeRepository.create(forge, ada, 'secrets', tree);
  await repository.do('PUT', '/collaborators/sam', { permission: 'write' });
  // Where people find it, says docs/forges.md.
  const forgeKey = String((await forge.ask('GET', '/signing-key.pub')).body).trim();
  let signers = `forge namespaces="git" ${forgeKey}\n`;
  for (const [name, account] of Object.entries({ ada, sam })) {
    const { publicLine } = await generateKey(site.path(name), 'ed25519');
    signers += `${name} namespaces="git" ${publicLine}\n`;
    if (account === sam) await forge.do('POST', '/user/keys', { title: 'own', key: publicLine }, sam);
  }
  fs.writeFileSync(site.path('signers'), signers);
  fs.writeFileSync(site.path('token'), ada.token);
  await tree.git('config', 'gpg.format', 'ssh');
  await tree.git('config', 'commit.gpgsign', 'true');
  const as = (name: string) => tree.git('config', 'user.signingkey', site.path(`${name}.pub`));

  await as('ada');
  const begin = await tree.commit(Object.assign({}, ...CASES.map((of) => manifests(site, of, 'one'))), 'Begin');
  for (const { name } of CASES) await tree.git('branch', name, begin);
  await repository.push(...CASES.map(({ name }) => name));
  configure(site, { url: repository.url, caFile: forge.caFile, bearerFile: 'token' }, begin);
  const operator = await site.start();
  const say = async () => (await operator.status()).sources.map(said);
  await eventually(async () =>
    assert.deepEqual(
      await say(),
      SOURCES.map(() => ({ commit: begin, code: undefined })),
    ),
  );

  const texts = new Map(CASES.map((of) => [of, manifests(site, of, 'two')]));
  for (const [of, files] of texts) {
    await tree.git('checkout', '-q', '-b', `${of.name}-work`, begin);
    await as('ada');
    await tree.commit(of.what === 'edit' ? {} : files, 'Two');
    if (of.isFresh === true) continue;
    await tree.git('checkout', '-q', of.name);
    await as('sam');
    await tree.commit({ [`a/${of.name}/notes.txt`]: 'meanwhile' }, 'Meanwhile');
  }
  await repository.push(...CASES.flatMap(({ name }) => [name, `${name}-work`]));
  const made = new Map<Case, string>();
  for (const [of, files] of texts) made.set(of, await press(repository, of, files, sam));

  await operator.wake();
  const expected = SOURCES.map(({ of, mode }) => {
    const code = of[mode];
    return { name: of.name, mode, commit: code === undefined ? made.get(of) : begin, code };
  });
  await eventually(async () => {
    const seen = await say();
    assert.deepEqual(
      SOURCES.map(({ of, mode }, index) => ({ name: of.name, mode, ...seen[index] })),
      expected,
    );
  });
  for (const { of, mode } of SOURCES) {
    const value = of[mode] === undefined ? 'two' : 'one';
    await eventually(() => assert.equal(site.read('payments/api', `${of.name}-${mode}`, 'a'), value));
  }
});

/** Of a source: what it accepted last, and what is wrong with the newest. */
function said({ commit, trouble }: { commit?: string; trouble?: { code: string } }) {
  return { commit, code: trouble?.code };
}
