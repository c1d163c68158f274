/** What was exposed, out of a long history: the first answer, and the next one, which reads only what is new. */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Cost, medianCost, runOnce } from '../measure.ts';
import { costCells, duration, type Section, table } from '../page.ts';
import type { Workplace } from '../workplace.ts';
import { RECIPIENTS, writeLongHistory } from './history.ts';

const SIZE = { manifests: 1000, commits: 20_000 };
const MOST_CPU = 30_000;
const ROUNDS = 3;

export async function measureExposure(workplace: Workplace): Promise<Section> {
  const directory = join(workplace.folder, 'long-history');
  mkdirSync(directory);
  const { kids } = await writeLongHistory(directory, SIZE);
  const git = (...args: string[]) => workplace.run({ ...workplace.program('git', args), cwd: directory });
  const ask = { ...workplace.coffer(['exposure', '--key', kids[1] ?? '']), cwd: directory };
  const forget = () => rmSync(join(directory, '.git', 'coffer'), { recursive: true, force: true });
  const rounds = (before: (round: number) => void): Cost =>
    medianCost(
      Array.from({ length: ROUNDS }, (_, round) => {
        before(round);
        return runOnce(ask);
      }),
    );
  const first = rounds(forget);
  const again = rounds(() => {});
  const new10 = rounds((round) => {
    for (let number = 0; number < 10; number++) {
      writeFileSync(join(directory, 'note'), `${round} ${number}`);
      git('add', 'note');
      git('-c', 'user.name=Bench', '-c', 'user.email=bench@example.org', 'commit', '-q', '-m', 'Note');
    }
  });
  const empty = rounds(() => {});
  return {
    title: 'Exposure',
    body: [
      `${SIZE.commits.toLocaleString('en')} commits, each of which sets one value of one of ${SIZE.manifests.toLocaleString('en')} manifests with 10
values, as \`coffer set\` does: under a data key of its own, sealed to ${RECIPIENTS.length} recipients. One key of these is asked for, so that the
answer has all ${(SIZE.manifests * 10 + SIZE.commits - 1).toLocaleString('en')} values. Whole processes, medians of ${ROUNDS}.`,
      table(
        ['`coffer exposure --key KID`', 'CPU', 'wall'],
        [
          ['the first time', ...costCells(first)],
          ['again, nothing new', ...costCells(again)],
          ['again, after 10 commits', ...costCells(new10)],
          ['again, nothing new', ...costCells(empty)],
        ],
      ),
    ],
    targets: [
      {
        what: `what a key could open, of ${SIZE.commits.toLocaleString('en')} commits and ${SIZE.manifests.toLocaleString('en')} manifests: under ${duration(MOST_CPU)} of CPU`,
        measured: duration(first.cpu),
        met: first.cpu < MOST_CPU,
      },
      {
        what: 'a second run costs only what is new: at most a fifth of the first, after 10 commits',
        measured: `${duration(new10.cpu)} to ${duration(first.cpu)}`,
        met: new10.cpu <= first.cpu / 5,
      },
    ],
  };
}
