import type { AuditLog } from '../../../core/audit/log.ts';
import type { AuditRecord, AuditStep } from '../../../core/audit/record.ts';
import type { CofferError } from '../../../core/errors.ts';
import { entryOfPrevious } from '../../../core/format/manifest/rotation.ts';
import type { Proposal, ProposedValue } from '../../../core/rotation/proposal.ts';
import { proposalId } from '../../../core/rotation/proposal-id.ts';
import { keyOf } from '../../project/namespaced-name.ts';
import { HandOver, type HandOverOptions, type Share } from '../hand-over.ts';

/** What is to be changed in the repository of one source. */
export interface Parcel {
  source: string;
  /** Accepted when it was made. */
  commit: string;
  values: readonly ProposedValue[];
  stanzas: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** NAMESPACE/NAME → id of its rotation. */
  operations: ReadonlyMap<string, string>;
}

export type DeliveryOptions = Pick<HandOverOptions<ParcelShare>, 'proposals' | 'pushers' | 'log' | 'wake' | 'clock'> & {
  cluster: string;
  audit: Pick<AuditLog, 'append'>;
};

type ParcelShare = Parcel & Share;

/** Hands over what was made of values, with a record for each manifest. */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #id: string;
  readonly #handOver: HandOver<ParcelShare>;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#id = proposalId('values', options.cluster);
    this.#handOver = new HandOver({
      ...options,
      id: this.#id,
      messageOf: ({ values }) => messageOf(values),
      command: 'coffer rotate --collect',
      published: async (_, shares, before) => {
        const known = new Set(before?.values.map(textOf));
        for (const share of shares) {
          const values = share.values.filter((value) => !known.has(textOf(value)));
          if (values.length > 0) await this.#record({ ...share, values }, 'published', { commit: share.commit });
        }
      },
      pushed: (share, { commit, branch }) => this.#record(share, 'pushed', { commit, branch }),
    });
  }

  /** Returns what stood in the way. Throws AUDIT_*, and what is no CofferError. */
  async deliver(parcels: readonly Parcel[], signal: AbortSignal): Promise<CofferError[]> {
    const shares = parcels
      .filter(({ values }) => values.length > 0)
      .map((parcel) => ({ ...parcel, proposal: this.#proposal([parcel]) }));
    const [only] = shares;
    const all = only !== undefined && shares.length === 1 ? only.proposal : this.#proposal(shares);
    return await this.#handOver.give(all, shares, signal);
  }

  async #record({ source, values, operations }: Parcel, step: AuditStep, more: Partial<AuditRecord>): Promise<void> {
    const { audit, cluster } = this.#options;
    const records = namesOf(values).map(({ namespace, name, entries }): AuditRecord => {
      const operation = operations.get(keyOf(namespace, name));
      return {
        ...{ event: 'rotation.step', step, outcome: 'done', cluster, namespace, name, entries, source },
        ...{ proposal: this.#id, ...(operation === undefined ? {} : { operation }), ...more },
      };
    });
    await audit.append(records);
  }

  #proposal(parcels: readonly Parcel[]): Proposal {
    return {
      id: this.#id,
      cluster: this.#options.cluster,
      commit: parcels[0]?.commit ?? '',
      stanzas: new Map(parcels.flatMap(({ stanzas }) => [...stanzas])),
      values: parcels.flatMap(({ values }) => values),
      fulfils: [],
      refused: new Map(),
    };
  }
}

/** A text is of one entry; that one is taken away has none. */
function textOf({ namespace, name, entry, text }: ProposedValue): string {
  return text ?? `${keyOf(namespace, name)} ${entry}`;
}

interface Names {
  namespace: string;
  name: string;
  entries: string[];
}

function namesOf(values: readonly ProposedValue[]): Names[] {
  const found = new Map<string, Names>();
  for (const { namespace, name, entry } of values) {
    const key = keyOf(namespace, name);
    const names = found.get(key) ?? { namespace, name, entries: [] };
    names.entries.push(entry);
    found.set(key, names);
  }
  return [...found.values()];
}

function messageOf(values: readonly ProposedValue[]): string {
  const lines = namesOf(values).map(
    ({ namespace, name, entries }) => `${keyOf(namespace, name)}: ${entries.join(', ')}`,
  );
  const [only] = lines;
  const isOnlyRemoval = values.every(({ entry, text }) => text === undefined && entryOfPrevious(entry) !== undefined);
  const what = isOnlyRemoval ? 'Drop former values' : 'Rotate values';
  return lines.length === 1 ? `${what} of ${only}\n` : `${what} of ${lines.length} secrets\n\n${lines.join('\n')}\n`;
}
