/** First clone, a look that finds nothing, and a fetch of one commit: by a process that runs, and by git. */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Host } from '../host.ts';
import { type Cost, medianCost, runBeside } from '../measure.ts';
import { costCells, duration, ratio, type Target, table } from '../page.ts';
import type { Workplace } from '../workplace.ts';

const PUSHES = 15;
const TIMES_NATIVE = 3;

/** What a look of ours found and cost; `peak`: of the process so far, in MiB. */
type Look = Cost & { commit: string; peak: number };

export async function measureTransport(
  workplace: Workplace,
  host: Host,
): Promise<{ body: string[]; targets: Target[] }> {
  const folder = mkdtempSync(join(workplace.folder, 'transport-'));
  const native = (...args: string[]): Promise<Cost> => runBeside(workplace.program('git', args));
  const [shallow, whole] = [join(folder, 'shallow.git'), join(folder, 'whole.git')];
  const nativeShallow = await native('clone', '-q', '--bare', '--depth', '1', host.url, shallow);
  const nativeWhole = await native('clone', '-q', '--bare', host.url, whole);
  const unsigned = new Fetcher(workplace, join(folder, 'unsigned'), { url: host.url, trust: { mode: 'off' } });
  const signed = new Fetcher(workplace, join(folder, 'signed'), { url: host.url, trust: host.trust });
  const [ourShallow, ourWhole] = [await unsigned.look(), await signed.look()];

  const fetch = ['-C', whole, 'fetch', '-q', 'origin', 'main:main'];
  const costs: Record<'nothing' | 'push', Record<'native' | 'unsigned' | 'signed', Cost[]>> = {
    nothing: { native: [], unsigned: [], signed: [] },
    push: { native: [], unsigned: [], signed: [] },
  };
  for (let push = 0; push <= PUSHES; push++) {
    for (const what of ['nothing', 'push'] as const) {
      const commit = what === 'push' ? host.change(push) : 'unchanged';
      const found = { native: await native(...fetch), unsigned: await unsigned.look(), signed: await signed.look() };
      for (const look of [found.unsigned, found.signed]) {
        if (look.commit !== commit) throw new Error(`${look.commit} was found instead of ${commit}`);
      }
      // The first is not counted: it finds code that has never run.
      if (push > 0) for (const who of ['native', 'unsigned', 'signed'] as const) costs[what][who].push(found[who]);
    }
  }
  await Promise.all([unsigned.end(), signed.end()]);

  const [nothing, pushed] = [medians(costs.nothing), medians(costs.push)];
  const row = (name: string, ours: Cost, theirs: Cost): string[] => [
    name,
    ...costCells(ours),
    ...costCells(theirs),
    ratio(ours.cpu, theirs.cpu),
  ];
  return {
    body: [
      '### Against native git',
      `Over HTTP from \`git http-backend\`, 10,000 manifests and 20,000 commits. Ours is a process that runs, from the look to the
accepted commit: refs, pack, every object checked, and what the mode demands; git's is \`git clone --bare\` and \`git fetch\`, the
server not counted in either. Medians of ${PUSHES} pushes. Memory at most: ${mebibytes(ourShallow)} after the newest commit alone,
${mebibytes(ourWhole)} after the whole history. A first clone is made once: the pack costs about twice what \`git index-pack\` takes; what is
more is the start of the code, and reading every value that was ever sealed, so that an old one is known again.`,
      table(
        ['', 'ours: CPU', 'wall', 'git: CPU', 'wall', 'CPU against git'],
        [
          row('first clone, the newest commit (mode `off`)', ourShallow, nativeShallow),
          row('first clone, the whole history (mode `strict`)', ourWhole, nativeWhole),
          row('a look that finds nothing new', nothing.unsigned, nothing.native),
          row('one commit (mode `off`)', pushed.unsigned, pushed.native),
          row('one commit (mode `strict`: verified and judged, too)', pushed.signed, pushed.native),
        ],
      ),
    ],
    targets: [
      atMost(TIMES_NATIVE, 'a fetch of one commit', pushed.unsigned, pushed.native),
      atMost(TIMES_NATIVE, 'a fetch of one commit that is verified and judged', pushed.signed, pushed.native),
      atMost(1, 'a look that finds nothing new', nothing.unsigned, nothing.native),
    ],
  };
}

function atMost(times: number, what: string, ours: Cost, theirs: Cost): Target {
  return {
    what: `${what}: CPU at most ${times === 1 ? '' : `${times} times `}that of \`git fetch\``,
    measured: `${duration(ours.cpu)} to ${duration(theirs.cpu)}, ${ratio(ours.cpu, theirs.cpu)}`,
    met: ours.cpu <= times * theirs.cpu,
  };
}

function medians<Who extends string>(costs: Record<Who, Cost[]>): Record<Who, Cost> {
  const pairs = (Object.keys(costs) as Who[]).map((who) => [who, medianCost(costs[who])]);
  return Object.fromEntries(pairs) as Record<Who, Cost>;
}

function mebibytes({ peak }: Look): string {
  return `${peak.toFixed(0)} MiB`;
}

/** test/bench/trust/fetcher.ts as a process. */
class Fetcher {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: Interface;

  constructor(workplace: Workplace, state: string, source: object) {
    const config = JSON.stringify({ ...source, allowHttp: true, timeout: '30m' });
    const { program, args, cwd, env } = workplace.program(process.execPath, [
      join(import.meta.dirname, 'fetcher.ts'),
      state,
      config,
    ]);
    this.#child = spawn(program, args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stderr.pipe(process.stderr);
    this.#lines = createInterface(this.#child.stdout);
  }

  async look(): Promise<Look> {
    const ended = new AbortController();
    const line = once(this.#lines, 'line', { signal: ended.signal });
    this.#child.once('exit', () => ended.abort());
    this.#child.stdin.write('look\n');
    const [text] = await line;
    this.#child.removeAllListeners('exit');
    return JSON.parse(text);
  }

  async end(): Promise<void> {
    this.#child.stdin.end();
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
  }
}
