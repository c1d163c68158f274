import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openRepository, Repository } from '../../core/git/repository.ts';
import { judge } from '../../core/trust/judge.ts';
import { SealedBefore } from '../../core/trust/sealed/sealed-before.ts';
import { WorkTree } from '../servers/work-tree.ts';
import { manifest, sealed } from './manifests.ts';
import { policyOf, SIGNED_BY } from './policy.ts';

let root: string;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'coffer-cost-'));
});
after(() => rm(root, { recursive: true }));

const path = (index: number) => `team-${index % 40}/db-${index}.yaml`;

/** So many manifests, then so many commits that change one each; the last two changes come by a merge. */
async function repositoryOf(name: string, manifests: number, commits: number): Promise<WorkTree> {
  const tree = await WorkTree.init(join(root, name));
  const child = spawn('git', ['-C', tree.directory, 'fast-import', '--quiet'], {
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
  const commit = (mark: number, from: string, files: [string, string][]) =>
    child.stdin.write(
      `commit refs/heads/main\nmark :${mark}\ncommitter a <a> ${1_700_000_000 + mark} +0000\n${data(`${SIGNED_BY}alice\n`)}${from}${files.map(([file, text]) => `M 100644 inline ${file}\n${data(text)}`).join('')}\n`,
    );
  const changed = (index: number): [string, string] => [
    path(index % manifests),
    manifest({ name: `db-${index % manifests}`, data: { password: sealed(`c${index}`, `c${index}`) } }),
  ];
  const files = Array.from({ length: manifests }, (_, index) => changed(index));
  commit(1, '', files);
  for (let mark = 2; mark <= commits; mark++) commit(mark, `from :${mark - 1}\n`, [changed(manifests + mark)]);
  commit(commits + 1, `from :${commits}\n`, [changed(2 * manifests + 1)]);
  commit(commits + 2, `from :${commits}\n`, [changed(2 * manifests + 2)]);
  commit(commits + 3, `from :${commits + 1}\nmerge :${commits + 2}\n`, [changed(2 * manifests + 2)]);
  child.stdin.end();
  await once(child, 'close');
  return tree;
}

/**
 * How many objects are read to judge what `accepted..to` brings, by an operator that runs: what was there first was learnt, and
 * which commit descends from which was read, both once.
 */
async function reads(tree: WorkTree, accepted: string, to: string): Promise<number> {
  const running = await openRepository(tree.directory);
  const sealedBefore = SealedBefore.inMemory();
  const head = await running.resolve(to);
  const input = { ...INPUT, sealedBefore, head, accepted: await running.resolve(accepted) };
  await sealedBefore.learn(
    (await judge({ ...INPUT, sealedBefore, head: input.accepted, mode: 'off', repository: running })).learnt,
  );
  await judge({ ...input, repository: running });
  const repository = new Repository(running.directory, running.objects, running.graph);
  let count = 0;
  const read = repository.objects.read.bind(repository.objects);
  repository.objects.read = (oid) => {
    count++;
    return read(oid);
  };
  const verdict = await judge({ ...input, repository });
  assert.deepEqual(verdict.refusals, []);
  repository.close();
  return count;
}

const INPUT = { mode: 'strict', policy: policyOf(), path: '', outstanding: [], now: new Date() } as const;

describe('what judging costs', () => {
  test('depends on what changed, not on how large the repository is, nor how long its history', async () => {
    const small = await repositoryOf('small', 80, 3);
    const large = await repositoryOf('large', 2000, 1000);
    // A commit upon the accepted one; a merge upon its first parent, and upon what both of its parents descend from.
    for (const [accepted, head] of [
      ['main~2', 'main~1'],
      ['main~1', 'main'],
      ['main~2', 'main'],
    ] as const) {
      const [few, many] = [await reads(small, accepted, head), await reads(large, accepted, head)];
      assert.ok(
        few > 3 && many <= few * 1.1,
        `${accepted}..${head}: ${few} objects, and ${many} in a large repository`,
      );
    }
  });
});
