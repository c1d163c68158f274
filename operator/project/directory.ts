import { Bug } from '../../core/errors.ts';
import type { OperatorConfig } from '../../schemas/operator-config.ts';
import type { Projector } from './projector.ts';

export type DirectoryConfig = OperatorConfig['projections'][number]['directory'];

export interface DirectoryProjectorOptions {
  /** The recipient that the operator opens for: written into the mark of ownership. */
  cluster: string;
  /** Holds the marks of notifications that are still owed; no plaintext. */
  stateDirectory: string;
  environment: NodeJS.ProcessEnv;
}

/** Opens (makes, or takes up again) the directory of a projection and clears what a killed run left half done. */
export async function openDirectoryProjector(
  _config: DirectoryConfig,
  _options: DirectoryProjectorOptions,
): Promise<Projector> {
  throw new Bug('not written yet');
}
