import type { CofferError } from '../../errors.ts';
import type { Signer } from '../../signatures/signer.ts';
import { SEPARATOR } from '../aspects/aspects.ts';
import { type Holding, WEIGHTS } from '../holding.ts';
import type { Policy } from '../policy/policy.ts';
import { SET, type State } from './state.ts';
import type { ValueChange, ValueRule } from './value-rule.ts';
import { isUndone, type Outstanding, type Proposal } from './violation.ts';

/** Who answers for what a commit changes. */
export interface Signatories {
  commit: string;
  /** Who signed it, and who endorsed it. */
  signers: readonly Signer[];
  /** Why nobody signed it, where nobody did. */
  fault?: CofferError;
}

/** Judges changes one commit after another, and keeps what is wrong until it is undone, overwritten by who may, or endorsed. */
export class Ledger {
  /** Without one everybody may all: mode off. */
  readonly #policy: Policy | undefined;
  readonly #values: ValueRule;
  readonly #holding: Holding;
  /** By path and document: the last commit that made where it writes to. */
  readonly #writers = new Map<string, string>();

  constructor(policy: Policy | undefined, values: ValueRule, holding: Holding) {
    this.#policy = policy;
    this.#values = values;
    this.#holding = holding;
  }

  /** Throws `TRUST_CHANGES_TOO_LARGE`. */
  async apply(state: State, author: Signatories, proposals: readonly Proposal[]): Promise<void> {
    const changes = this.#judged(state, author.signers, proposals);
    const faults = await this.#values.judge(author.commit, changes);
    for (const { proposal, isAllowed } of changes) {
      const { path, aspect, document, to } = proposal;
      const former = state.get(path, aspect);
      const bad = former?.bad;
      if (former === undefined) this.#holding.keep(WEIGHTS.state);
      this.#noteWriter(proposal, author.commit);
      const fault = faults.get(proposal);
      if (isUndone(bad, to?.digest ?? null)) state.set(path, aspect, bad?.before?.isSet === true ? SET : undefined);
      else if (!isAllowed || fault !== undefined) {
        if (bad === undefined) this.#holding.keep(WEIGHTS.fault);
        state.set(path, aspect, { bad: this.#outstanding(state, author, proposal, isAllowed ? fault : undefined) });
      } else {
        state.set(path, aspect, SET);
        if (document !== '' && aspect === document && to === undefined) removed(state, path, document);
      }
    }
  }

  /** Takes it as these signers' own too: what they may change is set, whoever else had changed it. */
  endorse(state: State, signers: readonly Signer[], isMeant: (bad: Outstanding) => boolean): void {
    for (const bad of [...state.bad()]) {
      const isMendable = bad.rule === 'grant' || bad.rule === 'signature';
      if (isMendable && isMeant(bad) && this.may(signers, bad)) state.set(bad.path, bad.aspect, SET);
    }
  }

  may(signers: readonly Signer[], { path, subjects }: Pick<Outstanding, 'path' | 'subjects'>): boolean {
    const policy = this.#policy;
    if (policy === undefined) return true;
    if (subjects.length === 0) return signers.length > 0;
    return subjects.some((subject) => signers.some((signer) => policy.mayChange(signer, path, subject)));
  }

  writerOf(path: string, aspect: string): string | undefined {
    return this.#writers.get(`${path}${SEPARATOR}${aspect}`);
  }

  /**
   * Whether who signed may make each change. What is usual in a new manifest goes with the rest of it, so that who may not make one
   * can take it back whole; it needs the right of its own in one that was there before, and was taken away just now.
   */
  #judged(state: State, signers: readonly Signer[], proposals: readonly Proposal[]): ValueChange[] {
    const refused = new Map<string, Proposal>();
    const changes = proposals.map((proposal) => {
      const { path, aspect, document } = proposal;
      const isTouched = state.get(path, aspect) !== undefined;
      const isFree = proposal.isUsual && !isTouched;
      const isAllowed = isFree ? this.may(signers, { path, subjects: [] }) : this.may(signers, proposal);
      if (!isAllowed && document !== '') refused.set(`${path}${SEPARATOR}${document}`, proposal);
      return { proposal, isAllowed, isTouched, isFree };
    });
    return changes.map(({ isFree, ...change }) => {
      const { path, document } = change.proposal;
      const reason = isFree ? refused.get(`${path}${SEPARATOR}${document}`) : undefined;
      if (reason === undefined) return change;
      return { ...change, proposal: { ...change.proposal, subjects: reason.subjects }, isAllowed: false };
    });
  }

  #outstanding(
    state: State,
    { commit, signers, fault }: Signatories,
    { path, aspect, label, subjects, undo, isBrought }: Proposal,
    ofValue: { rule: Outstanding['rule']; detail: string } | undefined,
  ): Outstanding {
    const entry = state.get(path, aspect);
    const rule = ofValue?.rule ?? (signers.length === 0 ? 'signature' : 'grant');
    const detail = ofValue?.detail ?? (rule === 'signature' && fault !== undefined ? faultText(fault) : undefined);
    const undone = undo === undefined ? undefined : { ...undo, isSet: entry !== undefined };
    const former = entry?.bad === undefined ? undone : entry.bad.before;
    const before = isBrought === true ? { digest: '', isSet: false } : former;
    return {
      ...{ path, aspect, label, rule, subjects, commit },
      ...(before === undefined ? {} : { before }),
      ...(detail === undefined ? {} : { detail }),
    };
  }

  #noteWriter({ path, aspect }: Proposal, commit: string): void {
    const [document = '', field = ''] = aspect.split(SEPARATOR);
    if (aspect !== '' && (field === '' || field === 'spec.scope')) {
      this.#writers.set(`${path}${SEPARATOR}${document}${SEPARATOR}`, commit);
    }
  }
}

/** Where somebody takes a manifest away who may, nothing is left that could be wrong in it. */
function removed(state: State, path: string, document: string): void {
  for (const [aspect, { bad }] of state.file(path)) {
    if (bad !== undefined && aspect.startsWith(document)) state.set(path, aspect, SET);
  }
}

function faultText({ code, message }: CofferError): string {
  return `${code} ${message}`;
}
