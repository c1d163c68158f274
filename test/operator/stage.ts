/** A repository, a cluster's keys and the operator's rooms around them, in a folder that goes away with the test. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { AuditLog } from '../../core/audit/log.ts';
import { openAuditLog } from '../../core/audit/open-log.ts';
import type { AuditLine } from '../../core/audit/record.ts';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import { isSystemError } from '../../core/files/system-error.ts';
import { readKeyDirectory, storeSecretKey } from '../../core/keys/key-directory.ts';
import { openDirectoryProjector } from '../../operator/project/directory/open-directory-projector.ts';
import type { Projector } from '../../operator/project/projector.ts';
import type { ReachableNamespaces } from '../../operator/reconcile/namespaces.ts';
import { openReconciler, type Reconciler } from '../../operator/reconcile/reconciler.ts';
import { type GitSourceConfig, openGitSource } from '../../operator/source/open-git-source.ts';
import type { Source } from '../../operator/source/source.ts';
import type { SecretStatus } from '../../operator/status/status.ts';
import { WorkTree } from '../servers/work-tree.ts';
import { readRecords } from '../support/audit-lines.ts';
import { sealedManifest, type TestRecipient, testCluster, type WantedManifest } from '../support/secrets.ts';

/** A run of the operator's rooms, without its main loop. */
export interface Run {
  source: Source;
  reconciler: Reconciler;
  projector: Projector;
  /** Looks once, and does what comes of it. */
  poll(): Promise<void>;
  close(): Promise<void>;
}

export function secretOf({ reconciler }: Run, key: string): SecretStatus | undefined {
  return reconciler.status().secrets.find(({ namespace, name }) => `${namespace}/${name}` === key);
}

export interface RunOptions {
  source?: Partial<GitSourceConfig>;
  maxShare?: number;
  /** Puts something before the log. */
  audit?: (log: AuditLog) => AuditLog;
  /** Absent: `payments` and `billing`, as they are on a plain host. */
  namespaces?: ReachableNamespaces;
  /** Absent: what failed is tried again whenever somebody looks. */
  backOff?: { first: number; longest: number };
  /** Tells the operator to end. */
  signal?: AbortSignal;
}

export class Stage {
  readonly root: string;
  readonly cluster: TestRecipient;
  readonly tree: WorkTree;
  /** On a tmpfs, where there is one: an fsync costs nothing there. */
  readonly projection: string;
  readonly #runs = new Set<Run>();

  private constructor(root: string, projection: string, cluster: TestRecipient, tree: WorkTree) {
    this.root = root;
    this.projection = projection;
    this.cluster = cluster;
    this.tree = tree;
  }

  static async open(t: TestContext): Promise<Stage> {
    await sodiumReady();
    const root = await mkdtemp(join(tmpdir(), 'coffer-stage-'));
    const cluster = testCluster('production');
    const shm = existsSync('/dev/shm') ? '/dev/shm' : root;
    const projection = await mkdtemp(join(shm, 'coffer-stage-'));
    const stage = new Stage(root, projection, cluster, await WorkTree.init(join(root, 'repository')));
    t.after(async () => {
      for (const run of stage.#runs) await run.close();
      await rm(root, { recursive: true });
      await rm(projection, { recursive: true, force: true });
    });
    await storeSecretKey(join(root, 'keys'), cluster.seed);
    return stage;
  }

  path(...parts: string[]): string {
    return join(this.root, ...parts);
  }

  /** A manifest sealed to the stage's cluster. */
  manifest(wanted: Omit<WantedManifest, 'to'> & { to?: WantedManifest['to'] }): string {
    return sealedManifest({ to: [this.cluster], ...wanted });
  }

  /** Workloads `payments/api` and `billing/api`; what the last run left is taken up. */
  async run(options: RunOptions = {}): Promise<Run> {
    const stateDirectory = this.path('state');
    const log = await openAuditLog(this.path('audit'), { cluster: 'production', now: () => new Date() });
    const audit = options.audit?.(log) ?? log;
    const workloads = ['payments/api', 'billing/api'].map((name) => ({ name }));
    const projector = await openDirectoryProjector(
      { path: this.projection, allowDisk: true, workloads },
      { cluster: 'production', stateDirectory, environment: {} },
    );
    const source = await openGitSource({ url: this.tree.directory, ...options.source }, stateDirectory);
    const reconciler = await openReconciler({
      cluster: 'production',
      stateDirectory,
      sources: [source],
      projectors: [projector],
      namespaces: options.namespaces ?? { names: () => ['payments', 'billing'] },
      secretKeys: () => readKeyDirectory(this.path('keys')),
      audit,
      maxShare: options.maxShare ?? 0.5,
      backOff: options.backOff ?? { first: 0, longest: 0 },
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    const run: Run = {
      source,
      reconciler,
      projector,
      poll: async () => {
        try {
          const state = await source.poll(new AbortController().signal);
          await (state === 'unchanged' ? reconciler.retry(source.id) : reconciler.accept(state));
          reconciler.polled(source.id, undefined);
        } catch (error) {
          reconciler.polled(source.id, error);
        }
      },
      close: async () => {
        if (!this.#runs.delete(run)) return;
        await reconciler.close();
        await audit.close();
        await projector.close();
        await source.close();
      },
    };
    this.#runs.add(run);
    await reconciler.start();
    return run;
  }

  /** What a workload reads; `undefined`: it has no such file. */
  async read(workload: string, name: string, entry: string): Promise<string | undefined> {
    try {
      return await readFile(join(this.projection, workload, name, entry), 'utf8');
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  /** As a reboot does it to a tmpfs. */
  async forgetProjections(): Promise<void> {
    await rm(this.projection, { recursive: true, force: true });
  }

  /** As when the disk of the state directory is replaced. */
  async forgetState(): Promise<void> {
    await rm(this.path('state'), { recursive: true });
  }

  async audit(): Promise<AuditLine[]> {
    return await Array.fromAsync(readRecords(this.path('audit')));
  }
}
