/**
 * A cluster whose operator follows a signed repository over ssh, as docs/operations.md says: with a deploy key, host keys, a policy,
 * and the rights that the chart gives.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { TestContext } from 'node:test';
import { SUBJECTS, type Subject } from '../../../schemas/trust-policy.ts';
import { sharedCluster } from '../../cluster/shared.ts';
import { type Terminal, terminalOf } from '../../deploy/terminal.ts';
import { generateKey, Sshd } from '../../servers/sshd.ts';
import { kubeconfigOfChart } from './chart-rights.ts';
import { KubernetesStage } from './stage.ts';

interface Wanted {
  data: Record<string, string>;
  readers?: string[];
}

/** Ada may set values, Sam everything. */
export type SignerName = 'ada' | 'sam';

function policyWith(adaMay: readonly Subject[]): object {
  return {
    apiVersion: 'coffer.dev/v1',
    kind: 'TrustPolicy',
    metadata: { name: 'secrets' },
    spec: {
      signers: { ssh: { allowedSigners: 'allowed_signers' } },
      grants: [
        { signers: ['ada@*'], may: adaMay },
        { signers: ['sam@*'], may: SUBJECTS },
      ],
    },
  };
}

export class TrustScene {
  readonly stage: KubernetesStage;
  readonly terminal: Terminal;
  readonly #sshd: Sshd;
  readonly #kubeconfig: string;
  #allowedSigners = '';

  private constructor(stage: KubernetesStage, terminal: Terminal, sshd: Sshd, kubeconfig: string) {
    this.stage = stage;
    this.terminal = terminal;
    this.#sshd = sshd;
    this.#kubeconfig = kubeconfig;
  }

  static async open(t: TestContext): Promise<TrustScene | undefined> {
    if ((await sharedCluster(t)) === undefined) return undefined;
    const stage = await KubernetesStage.open(t);
    if (stage === undefined) return undefined;
    const kubeconfig = await kubeconfigOfChart(t, stage.cluster, stage);
    if (kubeconfig === undefined) return undefined;
    const sshd = await Sshd.start();
    t.after(() => sshd.close());
    const names = { 'coffer-system': stage.home, '--namespace payments': `--namespace ${stage.app}` };
    const terminal = await terminalOf(t, stage.cluster.kubeconfig, names);
    const scene = new TrustScene(stage, terminal, sshd, kubeconfig);
    await scene.#giveKeys();
    return scene;
  }

  /** What people do once: the signers' keys, the deploy key, and the policy with its files. */
  async #giveKeys(): Promise<void> {
    const { stage, terminal } = this;
    for (const folder of ['signers', 'git', 'files']) mkdirSync(stage.site.path(folder));
    const signers = (['ada', 'sam'] as const).map(async (name) => {
      const { publicLine } = await generateKey(this.#keyOf(name), 'ed25519');
      return `${name}@example.com namespaces="git" ${publicLine}\n`;
    });
    this.#allowedSigners = (await Promise.all(signers)).join('');
    this.mountPolicy('values', 'stanzas');
    writeFileSync(stage.site.path('files', 'known_hosts'), await this.#sshd.knownHosts());
    await terminal.run('The repository', /^ssh-keygen /);
    await terminal.run('The repository', /^kubectl create secret /);
    await this.#sshd.authorize({ file: '', publicLine: terminal.read('id_ed25519.pub').trim() });
    await this.mountGitSecret();
  }

  /** As kubelet does with `git.secretName`. */
  async mountGitSecret(): Promise<void> {
    const { stage } = this;
    const text = await stage.cluster.kubectl('get', 'secret', 'coffer-git', '-n', stage.home, '-o', 'json');
    const { data } = JSON.parse(text) as { data: Record<string, string> };
    for (const [file, content] of Object.entries(data)) {
      const path = stage.site.path('git', file);
      writeFileSync(path, Buffer.from(content, 'base64'));
      chmodSync(path, 0o440);
    }
  }

  /** As kubelet does with `trust`: a new folder, and one rename. `adaMay`: what Ada may change. */
  mountPolicy(...adaMay: readonly Subject[]): void {
    const mount = this.stage.site.path('trust');
    mkdirSync(mount, { recursive: true });
    const folder = mkdtempSync(join(mount, '..2026_'));
    writeFileSync(join(folder, 'allowed_signers'), this.#allowedSigners);
    writeFileSync(join(folder, 'policy.yaml'), JSON.stringify(policyWith(adaMay)));
    symlinkSync(basename(folder), join(mount, '..data_tmp'));
    renameSync(join(mount, '..data_tmp'), join(mount, '..data'));
    for (const file of ['allowed_signers', 'policy.yaml'])
      if (!existsSync(join(mount, file))) symlinkSync(join('..data', file), join(mount, file));
  }

  /** `trust` is added to that of the source, `git` to the source. */
  configure(trust: object, { git = {}, serve = {} }: { git?: object; serve?: object } = {}): void {
    const { stage } = this;
    stage.configure({
      kubeconfig: this.#kubeconfig,
      git: {
        url: this.#sshd.url(stage.site.path('repository')),
        sshKeyFile: 'git/id_ed25519',
        knownHostsFile: 'files/known_hosts',
        trust: { mode: 'strict', policy: 'trust/policy.yaml', ...trust },
        ...git,
      },
      configuration: { serve: { listen: '127.0.0.1:0', ...serve } },
    });
  }

  /** `by`: who signs; absent: nobody. `manifests`: by name, without `payments-`. */
  async commit(by: SignerName | undefined, manifests: Record<string, Wanted>): Promise<string> {
    const { tree } = this.stage.site;
    const wanted = Object.entries(manifests).map(([name, one]) => ({ ...one, name: `payments-${name}` }));
    const commit = await tree.commit(this.stage.files(...wanted));
    return by === undefined ? commit : this.#sign(by);
  }

  /** Takes the last commit back by another. */
  async revert(by: SignerName): Promise<string> {
    await this.stage.site.tree.git('revert', '--no-edit', 'HEAD');
    return this.#sign(by);
  }

  async #sign(by: SignerName): Promise<string> {
    const { tree } = this.stage.site;
    const key = ['-c', 'gpg.format=ssh', '-c', `user.signingkey=${this.#keyOf(by)}`];
    await tree.git(...key, 'commit', '-q', '--amend', '--no-edit', '--gpg-sign');
    return await tree.git('rev-parse', 'HEAD');
  }

  manifest(password: string, ...readers: string[]): Wanted {
    return { data: { password }, ...(readers.length > 0 ? { readers } : {}) };
  }

  /** A person's word, beside an operator that may run: what `kubectl exec` does in its pod. */
  async accept(commit: string): Promise<number | null> {
    return await this.stage.spawn('accept', commit).exit();
  }

  /** As when a volume is lost: everything that the operator kept on disk, but not its keys. */
  forgetState(): void {
    rmSync(join(this.stage.site.root, 'state'), { recursive: true });
  }

  #keyOf(name: SignerName): string {
    return this.stage.site.path('signers', name);
  }
}
