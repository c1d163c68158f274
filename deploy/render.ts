/**
 * Renders the chart for those who have no Helm: `node deploy/render.ts` writes deploy/install.yaml, `--check` fails if that
 * is stale.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { writeFileAtomically } from '../core/files/atomic.ts';
import { findPart } from '../test/parts/parts.ts';

const HEAD = `# coffer for a whole cluster, rendered from deploy/helm/coffer by deploy/render.ts: do not edit it in place.
# Before you apply it: the cluster's name, the repository and the image (ConfigMap, StatefulSet, DaemonSet).
apiVersion: v1
kind: Namespace
metadata:
  name: coffer-system
  labels:
    # The node plugin mounts, and is privileged for that; the operator itself meets the restricted level.
    pod-security.kubernetes.io/enforce: privileged
`;

const FILE = join(import.meta.dirname, 'install.yaml');

async function render(helm: string): Promise<string> {
  const { stdout } = await promisify(execFile)(
    helm,
    ['template', 'coffer', 'helm/coffer', '--namespace', 'coffer-system', '--values', 'install-values.yaml'],
    { cwd: import.meta.dirname, maxBuffer: 64 * 1024 * 1024 },
  );
  // Helm neither installs nor manages these objects.
  const isOfHelm = /^\s*(?:helm\.sh\/|app\.kubernetes\.io\/managed-by: Helm|# Source: )/;
  const lines = stdout.split('\n').filter((line) => !isOfHelm.test(line));
  return HEAD + lines.join('\n').replace(/\n +annotations:\n(?= {0,2}\S)/g, '\n');
}

const helm = await findPart('helm');
if (helm === undefined) {
  console.error('helm is missing: test/parts/README.md says how it is found');
  process.exit(3);
}
const rendered = await render(helm);
if (!process.argv.includes('--check')) {
  await writeFileAtomically(FILE, Buffer.from(rendered));
} else if ((await readFile(FILE, 'utf8').catch(() => '')) !== rendered) {
  console.error('deploy/install.yaml is stale: run node deploy/render.ts');
  process.exitCode = 1;
}
