import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCofferError } from '../../../core/errors.ts';
import { TrustSite } from '../../../test/operator/trust-site.ts';
import { commitOf, never } from '../../../test/operator/watching.ts';
import { manifest, sealed } from '../../../test/trust/manifests.ts';
import { giveAcceptance } from '../../trust/acceptances.ts';
import { openGitSource } from '../open-git-source.ts';
import type { Source } from '../source.ts';

const COMMITS = 4;
const FILES = 10;
const ENTRIES = 20;
/** One of the commits fits in, with all that is held of it; all of them, together or one after the other, do not. */
const MOST = 330_000;

/** The values of one of the commits, each in a data key of its manifest's. */
function filesOf(commit: number): Record<string, string> {
  const files = Array.from({ length: FILES }, (_, index) => `${commit}-${index}`);
  const values = (name: string) => Array.from({ length: ENTRIES }, (_, n) => [`e${n}`, sealed(name, `${name}-${n}`)]);
  return Object.fromEntries(
    files.map((name) => [
      `many/${name}.yaml`,
      manifest({ name: `db-${name}`, data: Object.fromEntries(values(name)) }),
    ]),
  );
}

const FILE_NAMES = Array.from({ length: COMMITS }, (_, commit) => Object.keys(filesOf(commit))).flat();

for (const mode of ['strict', 'off'] as const) {
  test(`what changed and takes more memory to judge than there is for it is refused by name, and what was accepted stays (${mode})`, async (t) => {
    const host = await TrustSite.open(t, { people: ['ada'] });
    const first = await host.commit('ada', { 'one.yaml': host.manifest('one', 'first') });
    const trust = { mode, policy: host.site.path('policy.yaml'), firstCommit: first } as const;
    const config = { url: host.site.tree.directory, trust: mode === 'off' ? { mode } : trust };
    const limited = async (state: string, use: (source: Source) => Promise<void>, mostHeld = MOST) => {
      const source = await openGitSource(config, host.site.path(state), { mostHeld });
      await use(source).finally(() => source.close());
    };
    const refused = async (own: Source, commits: readonly string[]) => {
      await assert.rejects(own.poll(never), (error) => {
        assert.ok(isCofferError(error, 'TRUST_CHANGES_TOO_LARGE'), String(error));
        assert.ok(commits.includes(error.data.commit ?? ''), error.message);
        assert.match(error.message, /takes more than 330000 bytes to judge \([\d,]+ values/);
        return true;
      });
    };
    for (const state of ['one', 'several'])
      await limited(state, async (own) => assert.equal(await commitOf(own), first));

    const commits: string[] = [];
    await limited('several', async (own) => {
      for (let commit = 0; commit < COMMITS; commit++) {
        commits.push(await host.commit('ada', filesOf(commit)));
        assert.equal(await commitOf(own), commits.at(-1));
      }
    });
    // All of them in one look.
    await limited('one', async (own) => {
      await refused(own, commits);
      assert.equal((await own.accepted())?.commit, first);
    });
    const accept = async (own: Source) => {
      const [last = ''] = commits.slice(-1);
      await giveAcceptance(host.site.path('one'), [own.id], last);
      assert.equal(await commitOf(own), last);
    };
    // What a person accepted is taken, whatever all of its history holds.
    await limited('one', accept, 1000);
    // All of it in one commit.
    const removed = await host.commit('ada', Object.fromEntries(FILE_NAMES.map((path) => [path, null])));
    await limited('several', async (own) => {
      await refused(own, [removed]);
      assert.equal((await own.accepted())?.commit, commits.at(-1));
    });
    const source = await openGitSource(config, host.site.path('several'));
    t.after(() => source.close());
    assert.equal(await commitOf(source), removed);
  });
}

const NAMESPACES = Array.from({ length: 600 }, (_, n) => `n${n}`);

interface Large {
  what: string;
  trust: { mode: 'strict' | 'off' };
  /** Of the source. */
  more?: { namespaces: string[] };
  files?: Record<string, string>;
  message?: string;
  most?: number;
}

const LARGE: readonly Large[] = [
  { what: 'the messages of commits', trust: { mode: 'strict' }, message: 'm'.repeat(MOST / 3), most: MOST / 4 },
  {
    what: 'namespaces to which a manifest may not write',
    trust: { mode: 'off' },
    more: { namespaces: ['payments'] },
    files: { 'wide.yaml': manifest({ more: [`namespaces: ${JSON.stringify(NAMESPACES)}`] }) },
  },
  {
    what: 'the names of entries',
    trust: { mode: 'off' },
    files: {
      'names.yaml': manifest({
        data: Object.fromEntries(
          NAMESPACES.slice(500).map((name) => [`${name}-${'e'.repeat(2000)}`, sealed(name, name)]),
        ),
      }),
    },
  },
];

for (const { what, trust, message, more, most = MOST, files = { 'more.yaml': manifest() } } of LARGE) {
  test(`${what} count to what is held while a commit is judged`, async (t) => {
    const host = await TrustSite.open(t, { people: ['ada'] });
    const first = await host.commit('ada', { 'one.yaml': host.manifest('one', 'first') });
    const isSigned = trust.mode === 'strict';
    const config = {
      ...{ url: host.site.tree.directory, ...more },
      trust: isSigned ? { ...trust, policy: host.site.path('policy.yaml'), firstCommit: first } : trust,
    };
    const source = await openGitSource(config, host.site.path('state'), { mostHeld: most });
    t.after(() => source.close());
    assert.equal(await commitOf(source), first);
    await host.commit('ada', files, message);
    await assert.rejects(source.poll(never), { code: 'TRUST_CHANGES_TOO_LARGE' });
    assert.equal((await source.accepted())?.commit, first);
  });
}
