/**
 * `npm run bench [-- --only startup|files|many|operator|trust|exposure|rotation|audit|kubernetes] [--brief] [--dist FOLDER]`: measures the built
 * programs beside the peers' real ones, in one run on one machine; in Kubernetes with fewer rounds if `--brief`. Writes each page whose sections were all measured; prints them in any case.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureAudit } from './audit/audit.ts';
import { measureExposure } from './exposure/exposure.ts';
import { measureFiles } from './files.ts';
import { measureKubernetes } from './kubernetes/kubernetes.ts';
import { machineDescription } from './machine.ts';
import { measureMany } from './many.ts';
import { measureOperator } from './operator.ts';
import { render, type Section, targetTable } from './page.ts';
import { findPeers, type Peers } from './peers.ts';
import { measureRotation } from './rotation.ts';
import { measureStartup } from './startup.ts';
import { measureTrust } from './trust/trust.ts';
import { Workplace } from './workplace.ts';

const ROOT = join(import.meta.dirname, '..', '..');

type Measure = (workplace: Workplace, peers: Peers, brief: boolean) => Section | Promise<Section>;

const SECTIONS = {
  startup: measureStartup,
  files: measureFiles,
  many: measureMany,
  operator: measureOperator,
  trust: measureTrust,
  exposure: measureExposure,
  rotation: measureRotation,
  audit: measureAudit,
  kubernetes: measureKubernetes,
} satisfies Record<string, Measure>;

type SectionName = keyof typeof SECTIONS;

interface Page {
  file: string;
  title: string;
  about: string;
  sections: SectionName[];
}

const PAGES: Page[] = [
  {
    file: 'performance.md',
    title: 'Performance',
    about: `Written by \`npm run bench\`, which measures the built programs beside the real sops, kubeseal and ejson in one run. Whole
processes, CPU (user and system, children included) and wall clock; medians; ratios are on CPU where nothing else is said.
Kubernetes has [a page of its own](performance-kubernetes.md), and so have [fetches, signatures and long
histories](performance-trust.md), with what of isomorphic-git was gone around and why, [the audit log](performance-audit.md), [new keys for many
manifests](performance-rotation.md), and [what a key could open](performance-exposure.md).`,
    sections: ['startup', 'files', 'many', 'operator'],
  },
  {
    file: 'performance-trust.md',
    title: 'Performance of trust',
    about: `Written by \`npm run bench -- --only trust\`, which measures fetches, signatures and the whole path from a push to a file
beside native git with ssh-keygen, in one run.

isomorphic-git speaks the protocol: refs, negotiation, shallow clones. It does not see the packs. Its \`fetch\` holds a whole pack and
then every object of it in memory, inflates without a limit, leaves out what it cannot decode, checks no grammar, and with \`depth\`
brings everything again at each fetch. So the transport takes the pack out of the answer and gives isomorphic-git an empty one,
and \`core/git\` takes it in as \`git index-pack\` does: streamed to a file, each object inflated once within its limits, checked as
\`git fsck\` does, and entered into an index that is the same as git's. What is fetched is then read by \`core/git\` too: one read
of the page cache an object, where isomorphic-git loads and hashes a whole pack first. Its \`readCommit\` is not used for signatures,
because its payload leaves out whatever stands before \`gpgsig\` ends.`,
    sections: ['trust'],
  },
  {
    file: 'performance-rotation.md',
    title: 'Performance of rotation',
    about: `Written by \`npm run bench -- --only rotation\`, which measures the built programs beside the real sops and kubeseal in one
run. Whole processes, CPU (user and system, children included) and wall clock.`,
    sections: ['rotation'],
  },
  {
    file: 'performance-audit.md',
    title: 'Performance of the log',
    about: `Written by \`npm run bench -- --only audit\`, which measures the log of the built operator and the built CLI beside the raw disk and a
verifier in Go, in one run. How the log works: [audit.md](audit.md).`,
    sections: ['audit'],
  },
  {
    file: 'performance-exposure.md',
    title: 'Performance of exposure',
    about: `Written by \`npm run bench -- --only exposure\`, which measures the built program on a history that the real git writes. What it
reads is kept in \`.git/coffer/exposure\`, so that another run costs only what is new: [exposure.md](exposure.md). No other tool of the field
answers the question.`,
    sections: ['exposure'],
  },
  {
    file: 'performance-kubernetes.md',
    title: 'Performance in Kubernetes',
    about: `Written by \`npm run bench -- --only kubernetes\`, which runs the built operator, a bare client and the real
sealed-secrets controller against a real etcd and kube-apiserver on the same machine, in one run.`,
    sections: ['kubernetes'],
  },
];

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    brief: { type: 'boolean', default: false },
    dist: { type: 'string', default: join(ROOT, 'dist') },
  },
});
const names = Object.keys(SECTIONS) as SectionName[];
const wanted = options.only === undefined ? names : names.filter((name) => name === options.only);
if (wanted.length === 0) throw new Error(`--only takes one of ${names.join(', ')}`);

const workplace = new Workplace(options.dist);
try {
  const peers = await findPeers(workplace);
  const measured = new Map<SectionName, Section>();
  for (const name of wanted) {
    const measureSection: Measure = SECTIONS[name];
    const section = await measureSection(workplace, peers, options.brief);
    console.log(`${render(section)}\n`);
    measured.set(name, section);
  }
  for (const page of PAGES) {
    const sections = page.sections.flatMap((name) => measured.get(name) ?? []);
    if (sections.length < page.sections.length) continue;
    writeFileSync(join(ROOT, 'docs', page.file), text(page, sections, peers));
  }
} finally {
  workplace.remove();
}

function text({ title, about }: Page, sections: Section[], peers: Peers): string {
  const targets = sections.flatMap((section) => section.targets);
  const missed = targets.filter(({ met }) => !met).length;
  const absent =
    peers.absent.length === 0 ? '' : ` Absent on this machine, so not compared: ${peers.absent.join(', ')}.`;
  return `${[
    `# ${title}`,
    `${about}${absent}`,
    `Machine: ${machineDescription()}.`,
    `## Targets: ${targets.length - missed} met, ${missed} missed`,
    targetTable(targets),
    ...sections.map((section) => render({ ...section, targets: [] })),
  ].join('\n\n')}\n`;
}
