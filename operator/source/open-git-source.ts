import { join } from 'node:path';
import { LONGEST_TIMER, milliseconds } from '../../core/duration.ts';
import { SealedBefore } from '../../core/trust/sealed/sealed-before.ts';
import { FloorFile, Floors } from '../trust/floors.ts';
import { LastRules } from '../trust/last-rules.ts';
import { Memory } from '../trust/memory.ts';
import { PolicyFile } from '../trust/policy-file.ts';
import { Admission, type TrustSettings } from './admission/admission.ts';
import { Clone } from './clone/clone.ts';
import { GitSource } from './git-source.ts';
import { parseAddress } from './remote/address.ts';
import { openRemote, type RemoteConfig } from './remote/open-remote.ts';
import type { Source } from './source.ts';
import { followedBy, sourceId } from './source-id.ts';

/** Where the keyring, the repository's configuration and requests are. */
export const COFFER_FOLDER = '.coffer';

export type GitSourceConfig = RemoteConfig;

const DEFAULT_TIMEOUT = '60s';
/** As often as a fetch may judging take: a first commit of a long history is hashed in the one, and read and verified in the other. */
const JUDGING = 10;

export interface SourceSurroundings {
  /** What was accepted, as it is known beside the clone; absent: as the state directory says. */
  floors?: Floors;
  now?: () => Date;
  /** Milliseconds that judging may take; absent: ten times what a fetch may. */
  judging?: number;
  /** Bytes that judging may hold of what changed; absent: half of node's heap. */
  mostHeld?: number;
}

/**
 * Opens (or makes) the source's own clone under `STATE/sources/ID`; touches neither network nor remote. Throws
 * `SOURCE_URL_INVALID`, `SOURCE_PATH_INVALID`, `TRUST_MEMORY_DAMAGED`.
 */
export async function openGitSource(
  config: GitSourceConfig,
  stateDirectory: string,
  { floors, judging, mostHeld, now = () => new Date() }: SourceSurroundings = {},
): Promise<Source> {
  const address = addressOf(config);
  const { path } = address;
  const id = sourceId(config, address);
  const folder = join(stateDirectory, 'sources', id);
  const folders = [COFFER_FOLDER, path];
  const remote = openRemote(config, address, folders);
  const clone = await Clone.open(folder);
  const timeout = milliseconds(config.timeout ?? DEFAULT_TIMEOUT);
  const common = {
    ...{ id, address: address.text, follows: followedBy(config), path, stateDirectory, now },
    ...(config.namespaces === undefined ? {} : { namespaces: config.namespaces }),
    floors: floors ?? (await Floors.open([new FloorFile(stateDirectory)])),
    sealedBefore: await SealedBefore.open(folder),
  };
  return new GitSource({
    ...common,
    ...{ clone, remote, folders, carriedBy: config.carriedBy ?? 'operator' },
    memory: await Memory.open(folder),
    admission: new Admission({
      ...common,
      trust: trustOf(config, await LastRules.open(folder)),
      judging: judging ?? Math.min(JUDGING * timeout, LONGEST_TIMER),
      ...(mostHeld === undefined ? {} : { mostHeld }),
    }),
    timeout,
  });
}

/** Throws `SOURCE_URL_INVALID`, `SOURCE_PATH_INVALID`. */
export function idOf(config: GitSourceConfig): string {
  return sourceId(config, addressOf(config));
}

function addressOf({ url, path = '.', allowHttp = false }: GitSourceConfig) {
  return parseAddress(url, path, allowHttp);
}

function trustOf({ trust }: GitSourceConfig, lastRules: LastRules): TrustSettings {
  const { mode = 'off', policy, firstCommit, perPath = false } = trust ?? {};
  return {
    ...{ mode, perPath },
    ...(policy === undefined ? {} : { policy: new PolicyFile(policy, lastRules) }),
    ...(firstCommit === undefined ? {} : { firstCommit }),
  };
}
