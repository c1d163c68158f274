import type { Recipient } from '../../../core/keys/recipient.ts';
import { renderRecipient } from '../../../core/keys/recipient-text.ts';
import type { Proposal } from '../../../core/rotation/proposal.ts';
import type { Rewrapped } from './rewrap.ts';

export interface Made {
  id: string;
  cluster: string;
  commit: string;
  /** As every keyring is to list it; undefined: they do. */
  recipient: Recipient | undefined;
  /** One for each source. */
  parts: readonly Rewrapped[];
  fulfils: readonly string[];
}

/** What all sources are to have: of each repository applies what belongs there, since a data key belongs to one manifest. */
export function proposalOf({ id, cluster, commit, recipient, parts, fulfils }: Made): Proposal {
  const stanzas = parts.flatMap((part) => [...part.stanzas]).toSorted(byName);
  const seeds = new Map<string, ReadonlyMap<string, string>>();
  for (const [group, rows] of parts.flatMap((part) => [...part.seeds]).toSorted(byName)) {
    seeds.set(group, new Map([...(seeds.get(group) ?? []), ...rows]));
  }
  return {
    id,
    cluster,
    commit,
    ...(recipient === undefined ? {} : { recipient: { name: cluster, text: renderRecipient(recipient) } }),
    stanzas: new Map(stanzas.map(([dataKeyId, text]) => [dataKeyId, new Map([[cluster, text]])])),
    ...(seeds.size === 0 ? {} : { seeds }),
    values: [],
    fulfils: fulfils.toSorted(),
    refused: new Map(parts.flatMap((part) => [...part.refused]).toSorted(byName)),
  };
}

function byName([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : Number(one > other);
}
