/** A thousand signed commits: by one process of ours, and by git with ssh-keygen. */

import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Cost, runOnce } from '../measure.ts';
import { costCells, duration, ratio, type Target, table } from '../page.ts';
import type { Workplace } from '../workplace.ts';
import { publicBlob, writeSignedChain } from './signed-chain.ts';

const COMMITS = 1000;
const SIGNER = 'bench@example.org';

export async function measureVerification(workplace: Workplace): Promise<{ body: string[]; targets: Target[] }> {
  const folder = mkdtempSync(join(workplace.folder, 'signed-'));
  const repository = join(folder, 'repository');
  const git = (...args: string[]): string =>
    workplace.run(workplace.program('git', ['-C', repository, ...args])).trim();
  workplace.run(workplace.program('git', ['init', '-q', '-b', 'main', repository]));
  git('-c', `user.name=Bench`, '-c', `user.email=${SIGNER}`, 'commit', '-q', '--allow-empty', '-m', 'Begin');
  const { privateKey: key } = generateKeyPairSync('ed25519');
  const [from, tree] = [git('rev-parse', 'HEAD'), git('rev-parse', 'HEAD^{tree}')];
  const last = writeSignedChain(join(repository, '.git', 'objects'), { key, from, tree, count: COMMITS });
  git('update-ref', 'refs/heads/main', last);
  git('repack', '-adq');
  const signers = join(folder, 'allowed_signers');
  writeFileSync(signers, `${SIGNER} namespaces="git" ssh-ed25519 ${publicBlob(key).toString('base64')}\n`);
  git('config', 'gpg.ssh.allowedSignersFile', signers);

  const output = join(folder, 'output');
  const native = (...args: string[]): Cost =>
    runOnce(workplace.program('git', ['-C', repository, ...args], { output }));
  const log = native('log', '--show-signature', `-${COMMITS}`);
  const good = readFileSync(output, 'utf8').match(/^Good "git" signature/gm)?.length;
  if (good !== COMMITS) throw new Error(`git finds ${good} good signatures`);
  const commits = git('rev-list', `-${COMMITS}`, 'HEAD').split('\n');
  const one = native('verify-commit', ...commits);
  const loop = runOnce(
    workplace.program(
      'bash',
      [
        '-c',
        `cd "$1"; shift; for commit; do git verify-commit "$commit" || exit; done`,
        'bash',
        repository,
        ...commits,
      ],
      { output },
    ),
  );
  const verifier = join(import.meta.dirname, 'verifier.ts');
  const args = [verifier, repository, last, String(COMMITS), signers];
  const ours = runOnce(workplace.program(process.execPath, args, { output }));
  const inside: { good: number; cpu: number } = JSON.parse(readFileSync(output, 'utf8'));
  if (inside.good !== COMMITS) throw new Error(`${inside.good} signatures are good to us`);

  const rows: [string, Cost][] = [
    [`one process of ours`, ours],
    [`\`git log --show-signature\``, log],
    [`\`git verify-commit\` with all of them`, one],
    [`\`git verify-commit\` for each`, loop],
  ];
  return {
    body: [
      `### ${COMMITS.toLocaleString('en')} signed commits`,
      `SSH signatures (ed25519), all good. Git starts ssh-keygen for each. Of ours, ${duration(inside.cpu)} of CPU is the work, which
is what an operator that runs pays: ${duration(inside.cpu / COMMITS)} a commit; the rest is the start of a process.`,
      table(
        ['', 'CPU', 'wall', 'CPU against ours'],
        rows.map(([name, cost]) => [name, ...costCells(cost), ratio(cost.cpu, ours.cpu)]),
      ),
    ],
    targets: [
      {
        what: `${COMMITS.toLocaleString('en')} signed commits verified with no more CPU than \`git log --show-signature\``,
        measured: `${duration(ours.cpu)} to ${duration(log.cpu)}, ${ratio(ours.cpu, log.cpu)}`,
        met: ours.cpu <= log.cpu,
      },
    ],
  };
}
