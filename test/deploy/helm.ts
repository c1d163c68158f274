/** The chart, as people use it: with the real helm. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { partOrSkip } from '../parts/parts.ts';

export const CHART = join(import.meta.dirname, '..', '..', 'deploy', 'helm', 'coffer');

/** What the chart cannot do without. */
export const LEAST = {
  cluster: 'production',
  namespaces: ['payments'],
  sources: [{ git: { url: 'https://git.example.com/secrets.git' } }],
};

/** A source over ssh whose commits have to be signed, one behind a proxy, webhooks, two replicas. */
export const WITH_TRUST = {
  ...LEAST,
  replicas: 2,
  sources: [
    {
      git: {
        url: 'ssh://git@git.example.com:2222/secrets.git',
        sshKeyFile: '/etc/coffer/git/id_ed25519',
        knownHostsFile: '/etc/coffer/files/known_hosts',
        webhook: { from: 'gitea', secretFile: '/etc/coffer/git/webhook' },
        trust: {
          mode: 'strict',
          policy: '/etc/coffer/trust/policy.yaml',
          firstCommit: '4f2a9c1e5b7d8a0c3e6f9b2d5a8c1e4f7b0d3a6c',
          perPath: true,
        },
      },
    },
    {
      git: {
        url: 'https://git.example.org/secrets.git',
        proxy: 'http://proxy.example.org:3128',
        caFile: '/etc/coffer/files/ca.pem',
        clientCertFile: '/etc/coffer/secrets/mtls/tls.crt',
        clientKeyFile: '/etc/coffer/secrets/mtls/tls.key',
      },
    },
    { git: { url: 'git@git.example.net:team/secrets.git', knownHostsFile: '/etc/coffer/files/known_hosts' } },
  ],
  git: {
    secretName: 'coffer-git',
    secretNames: ['mtls'],
    files: { known_hosts: 'git.example.com ssh-ed25519 AAAA\n', 'ca.pem': 'none\n' },
  },
  proxy: { https: 'http://proxy.example.com', except: '.example.net' },
  trust: {
    policySpec: {
      signers: { ssh: { allowedSigners: 'allowed_signers' } },
      grants: [{ signers: ['*@example.com'], may: ['values'] }],
    },
    files: { allowed_signers: 'ada@example.com ssh-ed25519 AAAA\n' },
  },
  webhooks: {
    enabled: true,
    tlsSecretName: 'coffer-webhooks-tls',
    ingress: { enabled: true, host: 'hooks.example.com' },
  },
};

export interface Answer {
  status: number;
  stdout: string;
  stderr: string;
}

export type Helm = (args: readonly string[], values?: object) => Promise<Answer>;

/** Runs helm with a home of its own; `values` become its --values file. Skips the test, loudly, where helm is missing. */
export async function helmOrSkip(t: TestContext, kubeconfig?: string): Promise<Helm | undefined> {
  const program = await partOrSkip(t, 'helm');
  if (program === undefined) return undefined;
  const home = await mkdtemp(join(tmpdir(), 'coffer-helm-'));
  t.after(() => rm(home, { recursive: true, force: true }));
  const env = { PATH: process.env.PATH, HOME: home, ...(kubeconfig && { KUBECONFIG: kubeconfig }) };
  return async (args, values) => {
    const file = join(home, 'values.json');
    if (values !== undefined) await writeFile(file, JSON.stringify(values));
    const all = values === undefined ? [...args] : [...args, '--values', file];
    try {
      const output = await promisify(execFile)(program, all, { env, maxBuffer: 64 * 1024 * 1024 });
      return { status: 0, ...output };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { status: code, stdout, stderr };
    }
  };
}
