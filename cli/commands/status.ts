import { BaseCommand, Flags } from '../base-command.ts';
import { kubeconfigFlag, operatorNamespaceFlag } from '../kubernetes/flags.ts';
import type { Observed } from '../status/observed.ts';
import type { ClusterReport } from '../status/report.ts';

/** Milliseconds between looks with `--watch`. */
const INTERVAL = 2000;

export default class Status extends BaseCommand {
  static override summary = 'where is my commit: which clusters have it, what failed, and why';
  static override description =
    `Compares a commit with what the clusters say of their EncryptedSecret objects, or with what an operator says under /status. Exit
code 1 when something failed. With --watch it goes on until everything has the commit, something failed that waiting does not mend, or --timeout is over (exit code 1).`;
  static override examples = [
    'coffer status',
    {
      description: 'Several clusters, until they have what was just pushed:',
      command: 'coffer status --context staging --context production --watch',
    },
    { description: 'A host without Kubernetes:', command: 'coffer status --url http://127.0.0.1:8780' },
  ];
  static override flags = {
    commit: Flags.string({ description: 'which commit', helpValue: 'REVISION', default: 'HEAD' }),
    watch: Flags.boolean({ description: 'go on until it is everywhere, or something failed for good' }),
    timeout: Flags.string({
      description: 'how long to go on with --watch',
      helpValue: 'DURATION',
      default: '10m',
    }),
    kubeconfig: kubeconfigFlag,
    context: Flags.string({
      description: 'which cluster; repeat it (default: the current context of the kubeconfig)',
      helpValue: 'NAME',
      multiple: true,
      multipleNonGreedy: true,
    }),
    namespace: operatorNamespaceFlag,
    url: Flags.string({
      description: 'the address of an operator; repeat it',
      helpValue: 'URL',
      multiple: true,
      multipleNonGreedy: true,
    }),
  };

  override async run(): Promise<Record<string, unknown>> {
    const { flags } = await this.parse(Status);
    const [
      { openWorkspace },
      { commitOf, wantedAt },
      { reportOf },
      { renderStatus },
      { durationOf },
      { setTimeout: pause },
    ] = await Promise.all([
      import('../workspace/workspace.ts'),
      import('../status/wanted.ts'),
      import('../status/report.ts'),
      import('../status/render.ts'),
      import('../input/duration-argument.ts'),
      import('node:timers/promises'),
    ]);
    const { root, config, keyring } = await openWorkspace();
    const commit = await commitOf(root, flags.commit);
    const wanted = await wantedAt(root, commit, config);
    const ask = await this.#asking(flags, [...new Set(wanted.map(({ namespace }) => namespace))]);
    const until = performance.now() + durationOf(flags.timeout);
    let shown = '';
    for (;;) {
      const clusters: ClusterReport[] = [];
      for (const observed of await ask())
        clusters.push(await reportOf(observed, { root, keyring, wanted, now: new Date() }));
      const text = renderStatus(clusters, commit).join('\n');
      // Line by line, for logs too: only what became another is said again.
      if (text !== shown) this.say(text);
      shown = text;
      const isLate = performance.now() > until;
      const isOver = clusters.some(({ isStuck }) => isStuck) || clusters.every(({ isDone }) => isDone);
      if (!flags.watch || isOver || isLate) {
        const isMissing = flags.watch && !clusters.every(({ isDone }) => isDone);
        if (isMissing || clusters.some(({ hasFailed }) => hasFailed)) this.answerNo();
        return { commit, clusters };
      }
      await pause(INTERVAL);
    }
  }

  async #asking(
    {
      kubeconfig,
      context,
      namespace,
      url,
    }: { kubeconfig?: string | undefined; context?: string[]; namespace: string; url?: string[] },
    namespaces: readonly string[],
  ): Promise<() => Promise<Observed[]>> {
    const { askCluster, askOperator } = await import('../status/ask.ts');
    const urls = url ?? [];
    const names: (string | undefined)[] = context ?? (urls.length > 0 && kubeconfig === undefined ? [] : [undefined]);
    const clusters = await Promise.all(
      names.map(async (name) => {
        const { Cluster } = await import('../kubernetes/cluster.ts');
        return Cluster.open({ kubeconfig, context: name });
      }),
    );
    return () =>
      Promise.all([
        ...clusters.map((cluster) => askCluster(cluster, namespace, namespaces)),
        ...urls.map((address) => askOperator(address)),
      ]);
  }
}
