import { CofferError } from '../../core/errors.ts';
import type { Holder } from '../project/folder/open-folder.ts';
import type { Mounting, OperatorClient } from './operator-client.ts';
import type { PodToken, PublishRequest } from './publish-request.ts';
import { type FolderOptions, removeTarget, VolumeFolder } from './volume-folder.ts';

/** What the operator says when the pod may have nothing (any more): all else may pass. */
const LOST = new Set(['VOLUME_NOT_READER', 'VOLUME_NAMESPACE', 'SECRET_UNKNOWN']);

/** A volume at its target, and what keeps it as the operator says. */
export class PublishedVolume {
  readonly target: string;
  readonly pod: string;
  readonly #secret: string;
  readonly #operator: OperatorClient;
  readonly #folder: VolumeFolder;
  readonly #holder: Holder;
  #token: PodToken;
  #version: string | undefined;
  #trouble: CofferError | undefined;
  /** Monotonic milliseconds of when the operator last said what is right. */
  #confirmedAt: number;

  private constructor(
    { target, pod, secret, token, group }: PublishRequest,
    operator: OperatorClient,
    folder: VolumeFolder,
    version: string | undefined,
  ) {
    this.target = target;
    this.pod = pod;
    this.#secret = secret;
    this.#token = token;
    this.#operator = operator;
    this.#folder = folder;
    this.#holder = holderFor(group);
    this.#version = version;
    this.#confirmedAt = performance.now();
  }

  /** Asks for the entries, then shows them at the target, whole. On any failure nothing is left. Throws CofferError. */
  static async mount(
    request: PublishRequest,
    operator: OperatorClient,
    options: FolderOptions,
    signal: AbortSignal,
  ): Promise<PublishedVolume> {
    const { secret, token, target, group } = request;
    const mounting = await operator.mount(token.token, { secret }, signal);
    if (mounting.unchanged) throw notAsked();
    try {
      if (signal.aborted) throw givenUp();
      const { values, version } = mounting;
      const fill = (empty: VolumeFolder) => empty.write(values, version, holderFor(group));
      const folder = await VolumeFolder.create(options, fill, target);
      return new PublishedVolume(request, operator, folder, version);
    } finally {
      mounting.wipe();
    }
  }

  /** Takes over what an earlier process mounted there. */
  static async resume(
    request: PublishRequest,
    operator: OperatorClient,
    options: FolderOptions,
  ): Promise<PublishedVolume> {
    const folder = await VolumeFolder.open(options, request.target);
    return new PublishedVolume(request, operator, folder, folder.version);
  }

  /** Why what is there may not be what should be. */
  get trouble(): CofferError | undefined {
    return this.#trouble;
  }

  /** Whether the pod may have nothing, so that nothing is there. */
  get isLost(): boolean {
    return this.#trouble !== undefined && LOST.has(this.#trouble.code);
  }

  /** Milliseconds since the operator last said what is right. */
  get age(): number {
    return performance.now() - this.#confirmedAt;
  }

  renew(token: PodToken): void {
    this.#token = token;
  }

  /**
   * Asks what is right and makes it so; what fails stays in `trouble`. The files stay as they are while the operator cannot say:
   * they go when it says that the manifest is gone, or that the pod's ServiceAccount is no reader.
   */
  async refresh(signal: AbortSignal): Promise<void> {
    try {
      this.#accept(await this.#ask(signal));
      this.#trouble = undefined;
      this.#confirmedAt = performance.now();
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      this.#trouble = error;
      if (!this.isLost) return;
      this.#folder.empty();
      this.#version = undefined;
      this.#confirmedAt = performance.now();
    }
  }

  /** Takes it from its target, its files from wherever else it may be mounted. */
  async unmount(): Promise<void> {
    this.#folder.empty();
    await removeTarget(this.target);
    this.#folder.close();
  }

  /** What is mounted stays. */
  close(): void {
    this.#folder.close();
  }

  async #ask(signal: AbortSignal): Promise<Mounting> {
    const { token, expires } = this.#token;
    if (expires < Date.now())
      throw new CofferError('NODE_TOKEN_EXPIRED', "The pod's token has expired, and kubelet has not brought another.", {
        advice: 'See whether kubelet works on that node: it brings one every minute or two.',
        loop: 'retry',
      });
    const known = this.#version === undefined ? {} : { version: this.#version };
    return await this.#operator.mount(token, { secret: this.#secret, ...known }, signal);
  }

  #accept(mounting: Mounting): void {
    if (mounting.unchanged) return;
    try {
      this.#folder.write(mounting.values, mounting.version, this.#holder);
      this.#version = mounting.version;
    } finally {
      mounting.wipe();
    }
  }
}

/**
 * Whose the files are. With an fsGroup: that group's, and nobody else's. Without: readable for any user, for only the pod's
 * containers get at them, and which users those run as is theirs to choose; as kubelet does for Secrets.
 */
function holderFor(group: number | undefined): Holder {
  const uid = process.geteuid?.() ?? 0;
  return group === undefined
    ? { uid, gid: process.getegid?.() ?? 0, folderMode: 0o555, fileMode: 0o444 }
    : { uid, gid: group, folderMode: 0o550, fileMode: 0o440 };
}

function notAsked(): CofferError {
  return new CofferError('VOLUME_FRAME', 'The operator says that nothing has changed, to who has nothing.', {
    advice: 'See that operator and node plugin are of one release.',
    loop: 'retry',
  });
}

function givenUp(): CofferError {
  return new CofferError('VOLUME_GIVEN_UP', 'Kubelet gave the mount up before it was made; nothing is left of it.', {
    advice: 'Nothing: it asks again as long as there is the pod.',
    loop: 'retry',
  });
}
