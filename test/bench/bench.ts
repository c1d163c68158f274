/**
 * `npm run bench [-- --only startup|files|many|operator|kubernetes] [--dist FOLDER]`: measures the built programs beside the peers'
 * real ones, in one run on one machine. A whole run writes docs/performance.md; a partial one prints.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureFiles } from './files.ts';
import { measureKubernetes } from './kubernetes/kubernetes.ts';
import { machineDescription } from './machine.ts';
import { measureMany } from './many.ts';
import { measureOperator } from './operator.ts';
import { render, type Section, targetTable } from './page.ts';
import { findPeers, type Peers } from './peers.ts';
import { measureStartup } from './startup.ts';
import { Workplace } from './workplace.ts';

const ROOT = join(import.meta.dirname, '..', '..');

const SECTIONS: Record<string, (workplace: Workplace, peers: Peers) => Section | Promise<Section>> = {
  startup: measureStartup,
  files: measureFiles,
  many: measureMany,
  operator: measureOperator,
  kubernetes: measureKubernetes,
};

const { values: options } = parseArgs({
  options: { only: { type: 'string' }, dist: { type: 'string', default: join(ROOT, 'dist') } },
});
if (options.only !== undefined && SECTIONS[options.only] === undefined) {
  throw new Error(`--only takes one of ${Object.keys(SECTIONS).join(', ')}`);
}

const workplace = new Workplace(options.dist);
try {
  const peers = await findPeers(workplace);
  const sections: Section[] = [];
  for (const [name, measureSection] of Object.entries(SECTIONS)) {
    if (options.only !== undefined && options.only !== name) continue;
    const section = await measureSection(workplace, peers);
    console.log(`${render(section)}\n`);
    sections.push(section);
  }
  if (options.only === undefined) writeFileSync(join(ROOT, 'docs', 'performance.md'), page(sections, peers));
} finally {
  workplace.remove();
}

function page(sections: Section[], peers: Peers): string {
  const targets = sections.flatMap((section) => section.targets);
  const missed = targets.filter(({ met }) => !met).length;
  const absent =
    peers.absent.length === 0 ? '' : ` Absent on this machine, so not compared: ${peers.absent.join(', ')}.`;
  return `${[
    '# Performance',
    `Written by \`npm run bench\`, which measures the built programs beside the real sops, kubeseal, ejson and sealed-secrets controller in one run. Whole
processes, CPU (user and system, children included) and wall clock; medians; ratios are on CPU where nothing else is said.${absent}`,
    `Machine: ${machineDescription()}.`,
    `## Targets: ${targets.length - missed} met, ${missed} missed`,
    targetTable(targets),
    ...sections.map((section) => render({ ...section, targets: [] })),
  ].join('\n\n')}\n`;
}
