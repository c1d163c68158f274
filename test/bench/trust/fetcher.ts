/**
 * A process that looks at a source when it is told to: `fetcher.ts STATE SOURCE-AS-JSON`. For each line that it reads it looks
 * once, and writes a line of JSON: what it found, and milliseconds of CPU (of all its threads) and of the clock.
 */

import { createInterface } from 'node:readline';
import { openGitSource } from '../../../operator/source/open-git-source.ts';

const [state = '', config = ''] = process.argv.slice(2);
const source = await openGitSource(JSON.parse(config), state);
const never = new AbortController().signal;

for await (const _line of createInterface(process.stdin)) {
  const [cpu, wall] = [process.cpuUsage(), performance.now()];
  const found = await source.poll(never);
  const { user, system } = process.cpuUsage(cpu);
  const peak = process.resourceUsage().maxRSS / 1024;
  const commit = found === 'unchanged' ? found : found.commit;
  console.log(JSON.stringify({ commit, cpu: (user + system) / 1000, wall: performance.now() - wall, peak }));
}
await source.close();
