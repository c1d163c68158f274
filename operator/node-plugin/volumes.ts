import { existsSync } from 'node:fs';
import { mkdir, readdir, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CofferError } from '../../core/errors.ts';
import { TurnsByName } from '../concurrency/turns-by-name.ts';
import type { Log } from '../process/log.ts';
import { systemCode } from '../project/folder/open-folder.ts';
import { ourMounts, unmount } from './mounts.ts';
import type { OperatorClient } from './operator-client.ts';
import type { PublishRequest } from './publish-request.ts';
import { PublishedVolume } from './published-volume.ts';
import { type FolderOptions, removeTarget } from './volume-folder.ts';

export interface NodeVolumesOptions extends FolderOptions {
  operator: OperatorClient;
  log: Log;
  /** Milliseconds between polls for changes, some more or less. */
  poll: number;
  /** Milliseconds without a word of the operator after which pods' Events say so. */
  staleAfter: number;
  /** Of kubelet; its root. */
  kubeletDirectory: string;
}

interface Kept {
  volume: PublishedVolume;
  timer?: NodeJS.Timeout;
}

/** Polls of a volume that the pod may not have are rarer by this. */
const LOST_FACTOR = 6;
const JITTER = 0.2;
/** Kubelet writes it beside a target before it asks for the mount, and removes it when the volume is gone. */
const KUBELET_MARK = 'vol_data.json';

/** The volumes of this node. What is done to one is done one after the other. */
export class NodeVolumes {
  readonly #options: NodeVolumesOptions;
  readonly #volumes = new Map<string, Kept>();
  readonly #turns = new TurnsByName();
  /** Requests to the operator that are under way, so that an unmount need not wait for their answers. */
  readonly #asking = new Map<string, AbortController>();
  readonly #closing = new AbortController();

  constructor(options: NodeVolumesOptions) {
    this.#options = options;
  }

  /** What a killed process left: mounts that were under way, and those of volumes that kubelet has forgotten. */
  async removeOrphans(): Promise<void> {
    const { privateDirectory, kubeletDirectory } = this.#options;
    for (const { path } of await ourMounts()) {
      const isForgotten =
        path.startsWith(join(kubeletDirectory, 'pods/')) && !existsSync(join(dirname(path), KUBELET_MARK));
      if (dirname(path) === privateDirectory) await unmount(path, true);
      else if (isForgotten) await this.#removeIfPossible(path);
    }
    await mkdir(privateDirectory, { recursive: true, mode: 0o700 });
    for (const name of await readdir(privateDirectory)) await rmdir(join(privateDirectory, name));
  }

  /**
   * Mounts, or brings up to date what is mounted: kubelet asks again and again, each time with a fresh token. Throws CofferError where
   * there is nothing to show, where the pod has lost it, and where what it has is stale.
   */
  async publish(request: PublishRequest, signal: AbortSignal): Promise<void> {
    await this.#turns.take(request.id, () =>
      this.#untilGivenUp(request.id, (givenUp) => this.#publish(request, AbortSignal.any([signal, givenUp]))),
    );
  }

  /** Also of a volume that was never published, or by an earlier process. */
  async unpublish(id: string, target: string): Promise<void> {
    this.#asking.get(id)?.abort();
    await this.#turns.take(id, async () => {
      const kept = this.#volumes.get(id);
      clearTimeout(kept?.timer);
      await kept?.volume.unmount();
      this.#volumes.delete(id);
      await removeTarget(target);
      if (kept !== undefined) this.#options.log.info('unmounted', { pod: kept.volume.pod });
    });
  }

  /** How many there are. */
  get size(): number {
    return this.#volumes.size;
  }

  /** What is mounted stays. */
  async close(): Promise<void> {
    this.#closing.abort();
    for (const [id, { timer, volume }] of this.#volumes) {
      clearTimeout(timer);
      await this.#turns.take(id, async () => volume.close());
    }
    this.#options.operator.close();
  }

  async #publish(request: PublishRequest, signal: AbortSignal): Promise<void> {
    const { id, token, pod } = request;
    const kept = this.#volumes.get(id) ?? (await this.#resumed(request));
    if (kept === undefined) {
      const { operator, log } = this.#options;
      const volume = await PublishedVolume.mount(request, operator, this.#options, signal);
      this.#keep(id, volume);
      log.info('mounted', { pod });
      return;
    }
    kept.volume.renew(token);
    await this.#refresh(kept.volume, signal);
    const trouble = this.#tellable(kept.volume);
    if (trouble !== undefined) throw trouble;
  }

  async #resumed(request: PublishRequest): Promise<Kept | undefined> {
    const mounts = await ourMounts(request.target);
    if (mounts.length === 0) return undefined;
    const { operator, log } = this.#options;
    const volume = await PublishedVolume.resume(request, operator, this.#options);
    log.info('resumed', { pod: request.pod });
    return this.#keep(request.id, volume);
  }

  #keep(id: string, volume: PublishedVolume): Kept {
    const kept: Kept = { volume };
    this.#volumes.set(id, kept);
    this.#schedule(id, kept);
    return kept;
  }

  #schedule(id: string, kept: Kept): void {
    const pause = this.#options.poll * (kept.volume.isLost ? LOST_FACTOR : 1) * (1 + JITTER * (2 * Math.random() - 1));
    kept.timer = setTimeout(() => {
      this.#poll(id, kept).catch((error: unknown) => this.#options.log.thrown(error));
    }, pause).unref();
  }

  async #poll(id: string, kept: Kept): Promise<void> {
    await this.#turns.take(id, async () => {
      if (this.#volumes.get(id) !== kept || this.#closing.signal.aborted) return;
      try {
        await this.#untilGivenUp(id, (givenUp) => this.#refresh(kept.volume, givenUp));
      } finally {
        this.#schedule(id, kept);
      }
    });
  }

  /** The signal ends when the volume is to be unmounted, or this process ends. */
  async #untilGivenUp(id: string, work: (givenUp: AbortSignal) => Promise<void>): Promise<void> {
    const unmounting = new AbortController();
    this.#asking.set(id, unmounting);
    try {
      await work(AbortSignal.any([unmounting.signal, this.#closing.signal]));
    } finally {
      this.#asking.delete(id);
    }
  }

  /** What cannot be removed holds nobody else up. */
  async #removeIfPossible(target: string): Promise<void> {
    try {
      await removeTarget(target);
    } catch (error) {
      if (!(error instanceof CofferError) && systemCode(error) === undefined) throw error;
      this.#options.log.thrown(error);
    }
  }

  /** Logs what is new of its trouble, not the same again. */
  async #refresh(volume: PublishedVolume, signal: AbortSignal): Promise<void> {
    const before = volume.trouble?.code;
    await volume.refresh(signal);
    const { trouble } = volume;
    if (trouble?.code === before) return;
    if (trouble !== undefined) this.#options.log.failure(trouble.at({ workload: volume.pod }));
    else this.#options.log.info('recovered', { pod: volume.pod });
  }

  /** What the people of a pod whose volume is mounted should see in its Events: not each time that the operator starts again. */
  #tellable(volume: PublishedVolume): CofferError | undefined {
    const { trouble, age } = volume;
    if (trouble === undefined || trouble.code === 'VOLUME_FULL') return trouble;
    const why = `${trouble.code}: ${trouble.message}`;
    if (volume.isLost)
      return new CofferError('VOLUME_LOST', `The files were taken away (${why})`, {
        advice: trouble.advice,
        loop: 'retry',
        cause: trouble,
      });
    if (age < this.#options.staleAfter) return undefined;
    return new CofferError(
      'VOLUME_STALE',
      `The files may be out of date: for ${Math.round(age / 60_000)} minutes nobody could say that they are not (${why})`,
      { advice: `They stay as they are. ${trouble.advice}`, loop: 'retry', cause: trouble },
    );
  }
}
