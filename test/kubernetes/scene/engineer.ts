import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Desk, type Ran } from '../../cli/desk.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { commandsOf } from '../../docs/console.ts';
import { readPages } from '../../docs/pages.ts';
import { findPart } from '../../parts/parts.ts';

/** The platform engineer: a desk with kubectl, a kubeconfig, and docs/operations.md to go by. */
export class Engineer extends Desk {
  static async open(): Promise<Engineer> {
    const engineer = new Engineer();
    engineer.installCoffer();
    const kubectl = await findPart('kubectl');
    if (kubectl !== undefined) symlinkSync(kubectl, join(engineer.home, 'bin', 'kubectl'));
    return engineer;
  }

  override get environment(): Record<string, string> {
    return { ...super.environment, KUBECONFIG: join(this.home, 'kubeconfig') };
  }

  /** Contexts by name; the first is the current one. */
  knows(contexts: Readonly<Record<string, Cluster>>): void {
    const files = Object.entries(contexts).map(([name, { kubeconfig }]) => ({
      name,
      config: JSON.parse(readFileSync(kubeconfig, 'utf8')),
    }));
    const of = (kind: 'clusters' | 'users', one: 'cluster' | 'user') =>
      files.map(({ name, config }) => ({ name, [one]: config[kind][0][one] }));
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: of('clusters', 'cluster'),
      users: of('users', 'user'),
      contexts: files.map(({ name }) => ({ name, context: { cluster: name, user: name } })),
      'current-context': files[0]?.name,
    };
    writeFileSync(join(this.home, 'kubeconfig'), JSON.stringify(config), { mode: 0o600 });
  }

  /**
   * Runs what the page shows: the command that contains this text, in a shell. The recovery key's folder stands for the medium.
   * `more` is what the page leaves to a terminal or to the reader's own cluster.
   */
  follows(text: string, more = ''): Ran {
    const page = readPages().find(({ file }) => file === 'docs/operations.md');
    const command = page && commandsOf(page).find((shown) => shown.text.includes(text))?.text;
    if (command === undefined) throw new Error(`docs/operations.md shows no command with: ${text}`);
    const local = `${command.replaceAll('/media/recovery', join(this.home, 'recovery'))} ${more}`;
    const ran = this.run('sh', ['-c', local]);
    if (ran.status !== 0) throw new Error(`${local}\n${ran.stdout}${ran.stderr}`);
    return ran;
  }

  kubectl(...args: string[]): string {
    const { status, stdout, stderr } = this.run('kubectl', args);
    if (status !== 0) throw new Error(`kubectl ${args.join(' ')}\n${stderr}`);
    return stdout;
  }
}
