import { createHash } from 'node:crypto';
import type { Address } from './remote/address.ts';
import type { RemoteConfig } from './remote/open-remote.ts';

const DEFAULT_BRANCH = 'main';

/** What of the repository is followed: a branch, or `tag:GLOB`, which no branch can be called (git-check-ref-format). */
export function followedBy({ branch, tag }: Pick<RemoteConfig, 'branch' | 'tag'>): string {
  return tag === undefined ? (branch ?? DEFAULT_BRANCH) : `tag:${tag}`;
}

/** As `Source.id`. */
export function sourceId(config: RemoteConfig, address: Address): string {
  return createHash('sha256')
    .update(JSON.stringify([address.text, followedBy(config), address.path]))
    .digest('hex')
    .slice(0, 16);
}
