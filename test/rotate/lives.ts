/** An operator's rooms that rotate values, in this process, which can die at any step and live again. */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { AuditLog } from '../../core/audit/log.ts';
import { storeIdentity } from '../../core/keys/key-directory.ts';
import { identityText } from '../../core/keys/key-texts.ts';
import { applyProposal, readProposal } from '../../core/rotation/proposal.ts';
import type { RotatorConfig } from '../../operator/config/settings.ts';
import { DirectoryKeyStore } from '../../operator/keys/directory-store.ts';
import type { KubeClient } from '../../operator/kubernetes/client.ts';
import { openPusher, type Pusher } from '../../operator/push/pusher.ts';
import { ValueRotation } from '../../operator/rotate/values/value-rotation.ts';
import { type Run, Stage } from '../operator/stage.ts';
import { recipientFiles } from '../support/secrets.ts';
import { CONFIG } from './rotating.ts';

/** What is thrown in place of everything that a dead process would have done. */
class Death extends Error {}

export interface LifeOptions {
  rotators?: readonly RotatorConfig[];
  /** Dies before its n-th record reaches the log, or right after that. */
  diesAt?: { record: number; when: 'before' | 'after' };
  /** Absent: it pushes to the branch that it follows. */
  mayPush?: boolean;
  exposed?: (namespace: string, name: string, entry: string) => boolean;
  /** As one replica of a cluster: with a state directory of its own, which is empty. */
  replica?: { client: KubeClient; stateDirectory: string };
  /** Before each push. */
  beforePush?: () => Promise<unknown>;
  /** Throws where it does not lead. */
  mayWrite?: () => void;
}

/** Times of both clocks, in milliseconds: the wall's, and the one that nobody sets. */
export class Clocks {
  wall = Date.now();
  steady = 0;

  pass(milliseconds: number): void {
    this.wall += milliseconds;
    this.steady += milliseconds;
  }
}

export class Lives {
  readonly stage: Stage;
  readonly clocks = new Clocks();

  private constructor(stage: Stage) {
    this.stage = stage;
  }

  static async open(t: TestContext, files: (stage: Stage) => Record<string, string>): Promise<Lives> {
    const stage = await Stage.open(t);
    const { cluster, tree } = stage;
    await storeIdentity(stage.path('keys'), 'production', cluster.identitySeed);
    await writeFile(stage.path('pins'), `production ${identityText(cluster.recipient.identity)}\n`);
    await tree.git('config', 'receive.denyCurrentBranch', 'updateInstead');
    await tree.commit({ ...recipientFiles(cluster), '.coffer/config.yaml': CONFIG, ...files(stage) });
    return new Lives(stage);
  }

  async begin(options: LifeOptions = {}): Promise<Life> {
    const { diesAt, mayPush = true, rotators = [], exposed, beforePush, mayWrite, replica } = options;
    const death = { isDead: false, records: 0 };
    let log: Pick<AuditLog, 'append'> | undefined;
    const run = await this.stage.run({
      audit: (opened) => {
        log = opened;
        return opened;
      },
    });
    if (log === undefined) throw new Error('a run without a log');
    const store = new DirectoryKeyStore(this.stage.path('keys'), 'production');
    const { source, reconciler } = run;
    const stateDirectory = this.stage.path('state');
    const thrown: unknown[] = [];
    const saying = { info: () => undefined, thrown: (error: unknown) => void thrown.push(error) };
    const common = { cluster: 'production', stateDirectory, source, log: saying };
    const git = { url: this.stage.tree.directory, push: {} };
    const pusher = openPusher({ ...common, git, keys: store, now: () => new Date(this.clocks.wall), mayWrite });
    const pushing: Pusher = {
      push: async (...args) => {
        if (death.isDead) throw new Death();
        await beforePush?.();
        return pusher.push(...args);
      },
      close: () => pusher.close(),
    };
    const rotation = new ValueRotation({
      ...{ ...common, sources: [source], store, rotators, pinsFile: this.stage.path('pins') },
      pushers: new Map(mayPush ? [[source.id, pushing]] : []),
      audit: mortal(log, death, diesAt),
      ...{ wake: () => undefined, mayWrite },
      projected: (namespace, name) => reconciler.projected(namespace, name),
      ...(exposed === undefined ? {} : { exposed }),
      ...replica,
      now: () => new Date(this.clocks.wall),
      clock: () => this.clocks.steady,
    });
    return new Life(run, rotation, thrown, death);
  }
}

/** From its start to its end, or its death. */
export class Life {
  readonly run: Run;
  readonly rotation: ValueRotation;
  /** What went to its log. */
  readonly thrown: readonly unknown[];
  readonly #death: { isDead: boolean };

  constructor(run: Run, rotation: ValueRotation, thrown: readonly unknown[], death: { isDead: boolean }) {
    this.run = run;
    this.rotation = rotation;
    this.thrown = thrown;
    this.#death = death;
  }

  get isDead(): boolean {
    return this.#death.isDead;
  }

  /** One poll and what follows it. */
  async look(): Promise<void> {
    await this.run.poll();
    try {
      await this.rotation.look();
      await this.rotation.settled();
    } catch (error) {
      if (!(error instanceof Death)) throw error;
    }
  }

  async end(): Promise<void> {
    await this.rotation.close();
    await this.run.close();
  }
}

function mortal(
  log: Pick<AuditLog, 'append'>,
  death: { isDead: boolean; records: number },
  diesAt: LifeOptions['diesAt'],
): Pick<AuditLog, 'append'> {
  return {
    append: async (records) => {
      if (death.isDead) throw new Death();
      death.records += 1;
      death.isDead = death.records === diesAt?.record;
      if (death.isDead && diesAt?.when === 'before') throw new Death();
      await log.append(records);
      if (death.isDead) throw new Death();
    },
  };
}

/** A person takes over what is published, and commits it. */
export async function collect({ tree, cluster }: Stage, published: string): Promise<void> {
  const { identity } = cluster.recipient;
  const parts = readFileSync(published, 'utf8').trimEnd().split('\n');
  const proposal = readProposal(parts, { id: 'values-production', cluster: 'production', identity });
  const read = async (path: string) => readFileSync(join(tree.directory, path));
  const files = await applyProposal(proposal, { read, naming: async () => [] });
  await tree.commit(Object.fromEntries(Array.from(files, ([path, bytes]) => [path, bytes ?? null])));
}
