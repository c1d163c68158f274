import { createHash } from 'node:crypto';
import type { AuditLog } from '../../../core/audit/log.ts';
import type { AuditRecord } from '../../../core/audit/record.ts';
import { CofferError } from '../../../core/errors.ts';
import { entryOfPrevious } from '../../../core/format/manifest/rotation.ts';
import type { Proposal, ProposedValue } from '../../../core/rotation/proposal.ts';
import { proposalId } from '../../../core/rotation/proposal-id.ts';
import type { Pusher } from '../../push/pusher.ts';
import type { Proposals } from '../proposals.ts';

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

export interface DeliveryOptions {
  cluster: string;
  proposals: Pick<Proposals, 'publish' | 'withdraw' | 'read'>;
  pushers: ReadonlyMap<string, Pusher>;
  audit: Pick<AuditLog, 'append'>;
  /** Looks at a source now. */
  wake: (source: string) => void;
}

/** So many looks may find somebody else's commit in the way before people are told. */
const PATIENCE = 3;
const IN_THE_WAY = ['PUSH_WAITS', 'PUSH_RACE'];

/** Hands what was made to git where this operator may push, and to people elsewhere or where it cannot. */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #id: string;
  /** Source → what was pushed last, and upon what. */
  readonly #pushed = new Map<string, string>();
  readonly #inTheWay = new Map<string, number>();
  #published: string | undefined;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#id = proposalId('values', options.cluster);
  }

  /** Returns what stood in the way. Throws AUDIT_*, and what is no CofferError. */
  async deliver(parcels: readonly Parcel[], signal: AbortSignal): Promise<CofferError[]> {
    const troubles: CofferError[] = [];
    const left: Parcel[] = [];
    for (const parcel of parcels) {
      if (parcel.values.length === 0) continue;
      const trouble = await this.#push(parcel, signal);
      if (trouble !== 'pushed') left.push(parcel);
      if (trouble instanceof CofferError) troubles.push(trouble);
    }
    try {
      await this.#publish(left);
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      troubles.push(error);
    }
    return troubles;
  }

  async #push(parcel: Parcel, signal: AbortSignal): Promise<'pushed' | 'no' | CofferError> {
    const { pushers, wake } = this.#options;
    const { source, commit } = parcel;
    const pusher = pushers.get(source);
    if (pusher === undefined) return 'no';
    const digest = `${commit} ${digestOf(parcel.values)}`;
    if (this.#pushed.get(source) === digest) return 'pushed';
    try {
      const proposal = this.#proposal([parcel]);
      const pushed = await pusher.push(proposal, messageOf(parcel.values), signal);
      this.#inTheWay.delete(source);
      this.#pushed.set(source, digest);
      if (pushed === 'nothing' || !pushed.isNew) return 'pushed';
      await this.#tell(parcel, 'pushed', { commit: pushed.commit, branch: pushed.branch });
      wake(source);
      return 'pushed';
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof CofferError) || error.code.startsWith('AUDIT_')) throw error;
      return this.#refused(source, error);
    }
  }

  /** Somebody was first: what they pushed is looked at, and the next try is upon that. */
  #refused(source: string, error: CofferError): 'pushed' | CofferError {
    const times = (this.#inTheWay.get(source) ?? 0) + 1;
    this.#inTheWay.set(source, times);
    if (!IN_THE_WAY.includes(error.code)) return error.at({ source });
    // No oftener: where trust refuses what is in the way, looking again finds the same, and a look without end asks the server each second.
    if (times >= PATIENCE) return error.at({ source });
    this.#options.wake(source);
    return 'pushed';
  }

  async #publish(parcels: readonly Parcel[]): Promise<void> {
    const { proposals } = this.#options;
    this.#published ??= await this.#before();
    const digest = digestOf(parcels.flatMap(({ values }) => values));
    if (this.#published === digest) return;
    if (parcels.length === 0) await proposals.withdraw(this.#id);
    else {
      await proposals.publish(this.#proposal(parcels));
      for (const parcel of parcels) await this.#tell(parcel, 'published', { commit: parcel.commit });
    }
    this.#published = digest;
  }

  /** Undefined: nothing that is ours; should there be what somebody else put there, it goes. */
  async #before(): Promise<string | undefined> {
    const proposal = await this.#options.proposals.read(this.#id);
    return proposal && digestOf(proposal.values);
  }

  async #tell({ source, values, operations }: Parcel, step: string, more: Partial<AuditRecord>): Promise<void> {
    const { audit, cluster } = this.#options;
    const records = namesOf(values).map(({ namespace, name, entries }): AuditRecord => {
      const operation = operations.get(`${namespace}/${name}`);
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

function digestOf(values: readonly ProposedValue[]): string {
  return createHash('sha256').update(JSON.stringify(values)).digest('hex');
}

interface Names {
  namespace: string;
  name: string;
  entries: string[];
}

function namesOf(values: readonly ProposedValue[]): Names[] {
  const found = new Map<string, Names>();
  for (const { namespace, name, entry } of values) {
    const key = `${namespace}/${name}`;
    const names = found.get(key) ?? { namespace, name, entries: [] };
    names.entries.push(entry);
    found.set(key, names);
  }
  return [...found.values()];
}

function messageOf(values: readonly ProposedValue[]): string {
  const lines = namesOf(values).map(({ namespace, name, entries }) => `${namespace}/${name}: ${entries.join(', ')}`);
  const [only] = lines;
  const isOnlyRemoval = values.every(({ entry, text }) => text === undefined && entryOfPrevious(entry) !== undefined);
  const what = isOnlyRemoval ? 'Drop former values' : 'Rotate values';
  return lines.length === 1 ? `${what} of ${only}\n` : `${what} of ${lines.length} secrets\n\n${lines.join('\n')}\n`;
}
