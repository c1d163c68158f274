import { SEALED_VALUE } from '../../../schemas/grammar.ts';
import { documentProblems } from '../../format/document/document.ts';
import type { Repository } from '../../git/repository.ts';
import { changesBetween } from '../../git/trees/changes.ts';
import { isFile } from '../../git/trees/tree.ts';
import { RECIPIENTS_FOLDER } from '../../keys/keyring.ts';
import type { Aspect } from '../aspects/aspects.ts';
import { type Holding, WEIGHTS } from '../holding.ts';
import { SealedBefore } from '../sealed/sealed-before.ts';
import { type Learnt, Seen } from '../sealed/sealed-records.ts';
import { digestOf, type Proposal } from './violation.ts';

/** An entry that is back at a sealed text which it had and lost. */
export interface Return {
  path: string;
  entry: string;
  commit: string;
}

/** What is wrong with a value, whoever changed it. `detail`: the data key id. */
export interface ValueFault {
  rule: 'old-data-key' | 'return';
  detail: string;
}

/** A change with what is known of it already. */
export interface ValueChange {
  proposal: Proposal;
  /** Whether who made it may. */
  isAllowed: boolean;
  /** Whether the aspect was changed since the accepted commit. */
  isTouched: boolean;
}

export interface ValueRuleParts {
  repository: Repository;
  sealedBefore: SealedBefore;
  holding: Holding;
  /** Of the head: its keyring says which keys are revoked. */
  tree: string;
  /** The accepted commit, and the head. */
  accepted: string;
  head: string;
  /** What is to be known before the first value is judged, where `sealedBefore` does not know all of the accepted commit. */
  prime: () => Promise<Buffer>;
  /** Whether the accepted commit holds this text: in this place, or in a file that differs in the head. */
  isHeld: (path: string, aspect: string, text: string) => Promise<boolean>;
}

const SEALED = new RegExp(SEALED_VALUE);

/**
 * docs/format.md, "Old under new": a data key is for the values of one run, which one commit brings. A text under a data key that
 * was seen before has to be one of those that came with it. Then it is a return to what was there and went, unless it only moved.
 */
export class ValueRule {
  readonly #parts: ValueRuleParts;
  readonly #seen: Seen;
  readonly #returns: (Return & { aspect: string; digest: string | null })[] = [];
  #known: SealedBefore | undefined;
  #primed: Buffer | undefined;
  #revoked: readonly string[] | undefined;

  constructor(parts: ValueRuleParts) {
    this.#parts = parts;
    this.#seen = new Seen(parts.holding);
  }

  /** Judges what one commit changes itself, and remembers it for those after it. */
  async judge(commit: string, changes: readonly ValueChange[]): Promise<ReadonlyMap<Proposal, ValueFault>> {
    this.#noteStanzas(changes);
    const faults = new Map<Proposal, ValueFault>();
    const values = changes.filter(({ proposal }) => dataKeyIdOf(proposal) !== undefined);
    if (values.length === 0) return faults;
    const known = await this.#prime();
    const leaving = new Set(changes.flatMap(({ proposal: { leaving } }) => leaving ?? []));
    const fresh = new Set(values.filter(({ proposal }) => !this.#hasDataKey(known, dataKeyIdOf(proposal) ?? '')));
    for (const change of values) {
      if (fresh.has(change)) continue;
      const fault = await this.#fault(known, commit, change, leaving);
      if (fault !== undefined) faults.set(change.proposal, fault);
    }
    // What somebody brought who must not founds nothing: else a data key that is known from a pull request could be spoilt.
    for (const { proposal, isAllowed } of fresh) if (isAllowed) this.#found(proposal);
    return faults;
  }

  /** What stands at the head and is not refused: also what was refused once, and is allowed or endorsed by now. */
  take({ entry, text }: Aspect): void {
    const dataKeyId = entry === undefined ? undefined : dataKeyIdOfText(text);
    if (dataKeyId !== undefined) this.#seen.text(dataKeyId, text);
  }

  /** Returns that the head still holds; `textAt` gives what it says there. */
  async returns(textAt: (path: string, aspect: string) => Promise<string | undefined>): Promise<Return[]> {
    const found: Return[] = [];
    for (const { aspect, digest, ...told } of this.#returns) {
      if (digestOf(await textAt(told.path, aspect)) === digest) found.push(told);
    }
    return found;
  }

  /** Nothing, where what came before the head is not known either: it is to be learnt with that, when a value is judged. */
  async learnt(): Promise<Learnt> {
    const { sealedBefore, accepted, head } = this.#parts;
    this.#known ??= await sealedBefore.upTo(accepted);
    if (this.#known === undefined) return { records: Buffer.alloc(0) };
    this.#seen.upTo(head);
    return { base: accepted, records: Buffer.concat([this.#primed ?? Buffer.alloc(0), this.#seen.records()]) };
  }

  async #fault(
    known: SealedBefore,
    commit: string,
    { proposal, isTouched }: ValueChange,
    leaving: ReadonlySet<string>,
  ): Promise<ValueFault | undefined> {
    const { path, aspect, to } = proposal;
    const [text, detail] = [to?.entry?.text ?? '', dataKeyIdOf(proposal) ?? ''];
    const isOfHistory = known.hasText(detail, text);
    if (!isOfHistory && !this.#seen.hasText(detail, text)) return { rule: 'old-data-key', detail };
    // The same change on another branch, not accepted yet either: nothing was lost in between.
    if (!isOfHistory && !isTouched) return undefined;
    // What moves is no return; that it was there does not make it right, as it may have been refused there.
    if (leaving.has(text) || (await this.#parts.isHeld(path, aspect, text))) return undefined;
    if (await this.#isExposed(known, detail)) return { rule: 'return', detail };
    this.#parts.holding.keep(WEIGHTS.returned);
    this.#returns.push({ path, entry: to?.entry?.name ?? '', commit, aspect, digest: to?.digest ?? null });
    return undefined;
  }

  #found(proposal: Proposal): void {
    this.#seen.text(dataKeyIdOf(proposal) ?? '', proposal.to?.entry?.text ?? '');
  }

  #hasDataKey(known: SealedBefore, dataKeyId: string): boolean {
    return this.#seen.hasDataKey(dataKeyId) || known.hasDataKey(dataKeyId);
  }

  /** Whoever made the stanza: if it opens, the data key is out. */
  #noteStanzas(changes: readonly ValueChange[]): void {
    for (const { proposal } of changes) {
      const stanza = proposal.to?.stanza;
      if (stanza !== undefined) this.#seen.key(stanza.dataKeyId, stanza.kid);
    }
  }

  async #prime(): Promise<SealedBefore> {
    const { sealedBefore, accepted, prime } = this.#parts;
    this.#known ??= await sealedBefore.upTo(accepted);
    if (this.#known !== undefined) return this.#known;
    this.#primed = await prime();
    this.#known = SealedBefore.inMemory(this.#primed);
    return this.#known;
  }

  async #isExposed(known: SealedBefore, dataKeyId: string): Promise<boolean> {
    this.#revoked ??= await revokedKeys(this.#parts.repository, this.#parts.tree);
    return this.#revoked.some((kid) => known.wasSealedTo(dataKeyId, kid) || this.#seen.wasSealedTo(dataKeyId, kid));
  }
}

/** Of a change that makes an entry a sealed text. */
function dataKeyIdOf({ to }: Proposal): string | undefined {
  return to?.entry === undefined ? undefined : dataKeyIdOfText(to.entry.text);
}

function dataKeyIdOfText(text: string): string | undefined {
  return SEALED.test(text) ? text.split(':')[1] : undefined;
}

/** Read leniently: a keyring file that is wrong in another place still revokes what it says that it revokes. */
async function revokedKeys(repository: Repository, tree: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { path, after } of changesBetween(repository, null, tree, { under: RECIPIENTS_FOLDER })) {
    if (after === undefined || !isFile(after)) continue;
    const bytes = await repository.readBlobWithin(after.oid);
    if (bytes === undefined) continue;
    const { documents } = documentProblems(bytes, path).documents;
    for (const { kind, value } of documents) {
      if (kind !== 'Recipient') continue;
      const { spec } = value as { spec?: { keys?: unknown } };
      const keys: unknown[] = Array.isArray(spec?.keys) ? spec.keys : [];
      for (const key of keys) {
        const { id, status } = (key ?? {}) as { id?: unknown; status?: unknown };
        if (typeof id === 'string' && status === 'revoked') found.push(id);
      }
    }
  }
  return found;
}
