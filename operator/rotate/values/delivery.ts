import type { AuditLog } from '../../../core/audit/log.ts';
import type { AuditRecord, AuditStep } from '../../../core/audit/record.ts';
import type { CofferError } from '../../../core/errors.ts';
import { entryOfPrevious } from '../../../core/format/manifest/rotation.ts';
import { parseSealedValue } from '../../../core/format/sealed/value.ts';
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

type Changes = Pick<Parcel, 'commit' | 'values' | 'stanzas'>;
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
      publishing: async (_, shares, before) => {
        const known = new Set(before?.values.map(textOf));
        for (const share of shares) {
          const values = share.values.filter((value) => !known.has(textOf(value)));
          if (values.length > 0) await this.#record({ ...share, values }, 'published', { commit: share.commit });
        }
      },
      pushed: (share, { commit, branch }) => this.#record(share, 'pushed', { commit, branch }),
    });
  }

  /**
   * @param isUnknown of a value that was published, whether nobody can say now what its source needs: then it stays. Absent: all is known
   * @returns what stood in the way
   * @throws CofferError AUDIT_*, FILE_SYSTEM, KUBERNETES_*, what the key store throws; what is no CofferError
   */
  async deliver(
    parcels: readonly Parcel[],
    signal: AbortSignal,
    isUnknown?: (value: ProposedValue) => boolean,
  ): Promise<CofferError[]> {
    const shares = parcels
      .filter(({ values }) => values.length > 0)
      .map((parcel) => ({ ...parcel, proposal: this.#proposal([parcel]) }));
    const kept = isUnknown && (await this.#kept(isUnknown));
    const [only] = shares;
    const isOne = only !== undefined && shares.length === 1 && kept === undefined;
    const all = isOne ? only.proposal : this.#proposal(kept === undefined ? shares : [...shares, kept]);
    return await this.#handOver.give(all, shares, signal);
  }

  /** Of what was handed over before; undefined: nothing is to stay. */
  async #kept(isUnknown: (value: ProposedValue) => boolean): Promise<Changes | undefined> {
    const before = await this.#handOver.before();
    const values = before?.values.filter(isUnknown) ?? [];
    if (before === undefined || values.length === 0) return undefined;
    const used = new Set(values.flatMap(({ text }) => (text === undefined ? [] : parseSealedValue(text).dataKeyId)));
    return { commit: before.commit, values, stanzas: new Map([...before.stanzas].filter(([id]) => used.has(id))) };
  }

  async #record(
    { source, values, operations }: Parcel,
    step: AuditStep,
    more: Partial<AuditRecord<'rotation.step'>>,
  ): Promise<void> {
    const { audit, cluster } = this.#options;
    const records = namesOf(values).map(({ namespace, name, entries }): AuditRecord<'rotation.step'> => {
      const operation = operations.get(keyOf(namespace, name));
      return {
        ...{ event: 'rotation.step', step, outcome: 'done', cluster, namespace, name, entries, source },
        ...{ proposal: this.#id, ...(operation === undefined ? {} : { operation }), ...more },
      };
    });
    await audit.append(records);
  }

  #proposal(changes: readonly Changes[]): Proposal {
    return {
      id: this.#id,
      cluster: this.#options.cluster,
      commit: changes[0]?.commit ?? '',
      stanzas: new Map(changes.flatMap(({ stanzas }) => [...stanzas])),
      values: changes.flatMap(({ values }) => values),
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
