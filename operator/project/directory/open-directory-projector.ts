import { resolve } from 'node:path';
import type { DirectoryConfig } from '../../config/settings.ts';
import { DirectoryProjector } from './directory-projector.ts';
import { projectionFailure } from './failure.ts';
import { Notifier } from './notify.ts';
import { OwedNotifications } from './owed-notifications.ts';
import { defaultPath, openRoot } from './root.ts';
import { ownIdentity, workloadsFrom } from './workload.ts';

export interface DirectoryProjectorOptions {
  /** The recipient that the operator opens for: written into the mark of ownership. */
  cluster: string;
  /** Holds the marks of notifications that are still owed; no plaintext. */
  stateDirectory: string;
  environment: NodeJS.ProcessEnv;
  /** Milliseconds for which a set that was replaced stays; absent: long enough for a reader that has begun to look it up. */
  grace?: number;
}

/** Milliseconds. */
const GRACE = 200;

/**
 * Opens (makes, or takes up again) the directory of a projection and clears what a killed run left half done. Throws
 * CofferError as `openRoot` and `workloadsFrom` do.
 */
export async function openDirectoryProjector(
  config: DirectoryConfig,
  { cluster, stateDirectory, environment, grace = GRACE }: DirectoryProjectorOptions,
): Promise<DirectoryProjector> {
  const workloads = workloadsFrom(config.workloads, ownIdentity());
  const path = resolve(config.path ?? defaultPath(environment));
  const root = openRoot(path, { cluster, allowDisk: config.allowDisk ?? false });
  try {
    const notifier = new Notifier(workloads, new OwedNotifications(stateDirectory, path));
    return new DirectoryProjector(root, workloads, notifier, grace);
  } catch (error) {
    root.folder.close();
    root.lock.release();
    throw projectionFailure(error, { path });
  }
}
