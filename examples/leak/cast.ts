/** Who plays: two clusters on this machine, people who sign with keys of ssh-keygen, and the policy that operators judge them by. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Stage } from '../demo/stage.ts';

export interface Cluster {
  name: string;
  folder: string;
  projection: string;
  port: number;
  /** Whether its operator may push. */
  pushes: boolean;
}

export async function makeCluster(stage: Stage, name: string, pushes: boolean): Promise<Cluster> {
  const folder = join(stage.disk, name);
  mkdirSync(folder);
  return { name, folder, projection: join(stage.memory, name), port: await stage.freePort(), pushes };
}

/** The operator's configuration; `firstCommit`: where trust begins. */
export function configure({ name, folder, projection, port, pushes }: Cluster, url: string, firstCommit: string): void {
  const lines = [
    'apiVersion: coffer.dev/v1',
    'kind: OperatorConfig',
    `cluster: ${name}`,
    `state: {directory: ${folder}/state}`,
    `pins: {file: ${folder}/pins}`,
    `keys: {directory: ${folder}/keys}`,
    'sources:',
    '  - git:',
    `      {url: "${url}", branch: main, interval: 2s, allowHttp: true,`,
    ...(pushes ? ['      push: {},'] : []),
    `      trust: {mode: strict, policy: ${join(folder, '..', 'policy.yaml')}, firstCommit: "${firstCommit}"}}`,
    'projections:',
    `  - directory: {path: ${projection}, workloads: [{name: payments/payments-api}]}`,
    `audit: {directory: ${folder}/audit}`,
    `serve: {listen: "127.0.0.1:${port}"}`,
  ];
  writeFileSync(join(folder, 'operator.yaml'), `${lines.join('\n')}\n`);
}

/** Dana may change everything; the operator that pushes may do what rotations need, and nothing else. */
export const POLICY = [
  'apiVersion: coffer.dev/v1',
  'kind: TrustPolicy',
  'metadata: {name: policy}',
  'spec:',
  '  signers: {ssh: {allowedSigners: signers}}',
  '  grants:',
  '    - signers: ["dana@example.com"]',
  '      may: [values, stanzas, readers, recipients, type, template, rotation, removal, keyring, rules, requests]',
  '    - signers: ["production"]',
  '      may: [values, stanzas, keyring, requests]',
  '',
].join('\n');

/** The one secret key of a cluster, as a file. */
export function keyFile({ folder }: Cluster, kid: string): string {
  return join(folder, 'keys', `${kid}.key`);
}

/** Ids of the keys of a recipient, as its file of the keyring lists them: newest first. */
export function keysOf(clone: string, name: string): { id: string; status: string }[] {
  const text = readFileSync(join(clone, '.coffer', 'recipients', `${name}.yaml`), 'utf8');
  return Array.from(text.matchAll(/id: "([0-9a-f]{32})"\n\s+status: (\w+)/g), ([, id = '', status = '']) => ({
    id,
    status,
  }));
}
