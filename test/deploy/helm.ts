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
