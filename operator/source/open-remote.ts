import type { OperatorConfig } from '../../schemas/operator-config.ts';
import type { Address } from './address.ts';
import { HttpRemote } from './http-remote.ts';
import { LocalRemote } from './local-remote.ts';
import type { Remote } from './remote.ts';

export type RemoteConfig = NonNullable<OperatorConfig['sources'][number]['git']>;

const DEFAULT_BRANCH = 'main';

/** What stands behind an address; `parts`: the folders and files that will be read. Touches no network. */
export function openRemote(config: RemoteConfig, address: Address, parts: readonly string[]): Remote {
  const branch = config.branch ?? DEFAULT_BRANCH;
  if (address.kind === 'local') return new LocalRemote(address.text, branch, parts);
  return new HttpRemote({
    url: address.text,
    branch,
    credentials: config,
    ...(config.caFile === undefined ? {} : { caFile: config.caFile }),
  });
}
