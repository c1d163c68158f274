import { Bug } from '../../core/errors.ts';
import type { OperatorConfig } from '../../schemas/operator-config.ts';
import type { Source } from './source.ts';

export type GitSourceConfig = OperatorConfig['sources'][number]['git'];

/** Opens (or makes) the source's own clone under `STATE/sources/ID`; touches neither network nor remote. */
export async function openGitSource(_config: GitSourceConfig, _stateDirectory: string): Promise<Source> {
  throw new Bug('not written yet');
}
