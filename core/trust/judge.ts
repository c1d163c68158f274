import { CofferError } from '../errors.ts';
import { commitsBetween, isAncestor } from '../git/commits/commit-walk.ts';
import type { Commit, Repository } from '../git/repository.ts';
import type { Change } from '../git/trees/changes.ts';
import type { Signer } from '../signatures/signer.ts';
import type { Aspects } from './aspects/aspects.ts';
import { Scope } from './aspects/scope.ts';
import { type Endorsement, endorsementsIn } from './history/endorsements.ts';
import { isIdle } from './history/idle-stanzas.ts';
import { Ledger } from './history/ledger.ts';
import { proposalsOf } from './history/proposals.ts';
import { refuseRollBacks } from './history/roll-back.ts';
import { State } from './history/state.ts';
import { historyShallow, StrictWalk } from './history/strict-walk.ts';
import { ValueRule } from './history/value-rule.ts';
import type { Outstanding } from './history/violation.ts';
import { type Witness, Witnesses } from './history/witnesses.ts';
import { Holding, WEIGHTS } from './holding.ts';
import { NamespaceRule } from './namespace-rule.ts';
import type { Policy } from './policy/policy.ts';
import { printable } from './printable.ts';
import { groupRefusals } from './refusals.ts';
import { HeldTexts } from './sealed/held-texts.ts';
import type { SealedBefore } from './sealed/sealed-before.ts';
import { seenUpTo } from './sealed/sealed-history.ts';
import type { Verdict } from './verdict.ts';

export interface JudgeInput {
  repository: Repository;
  mode: 'off' | 'head' | 'strict';
  policy?: Policy;
  /** Of the source: where its manifests may write; absent: everywhere. */
  namespaces?: readonly string[];
  /** The folder of the source; `''`: the root. */
  path: string;
  /** The last accepted commit; absent: nothing was accepted, and the caller made sure that `head` may be the first. */
  accepted?: string;
  /** What its verdict gave, when it was accepted. */
  outstanding: readonly Outstanding[];
  head: string;
  /** The full name of the ref that names the head. */
  ref?: string;
  /** The annotated tag that names the head, where a tag is followed. */
  tag?: string;
  sealedBefore: SealedBefore;
  now: Date;
  /** Bytes that may be held of what changed; absent: half of node's heap. */
  mostHeld?: number;
  /** Ends it between two files. */
  signal?: AbortSignal;
}

/**
 * Judges what a head brings since the accepted commit. What is wrong with single changes is in the verdict. Changes nothing, not
 * even `sealedBefore`.
 *
 * @throws CofferError TRUST_CHANGES_TOO_LARGE, TRUST_DIVERGED, TRUST_HISTORY_SHALLOW, TRUST_MERGE_TOO_WIDE, TRUST_POLICY_MISSING
 */
export async function judge(input: JudgeInput): Promise<Verdict> {
  return new Judgement(input).verdict();
}

/** From which commit on is judged, and what is outstanding there. */
interface Start {
  commit: string;
  state: State;
  endorsedBy?: { commit: string; signer: Signer };
}

class Judgement {
  readonly #input: JudgeInput;
  readonly #repository: Repository;
  readonly #scope: Scope;
  readonly #policy: Policy | undefined;
  readonly #witnesses: Witnesses | undefined;
  readonly #holding: Holding;
  readonly #signers = new Map<string, readonly Signer[]>();

  constructor(input: JudgeInput) {
    const { repository, mode, policy, now, signal } = input;
    this.#input = input;
    this.#repository = repository;
    this.#scope = new Scope(repository, input.path, signal);
    this.#holding = new Holding(input.mostHeld);
    if (mode !== 'off' && policy === undefined) throw policyMissing(mode);
    this.#policy = mode === 'off' ? undefined : policy;
    this.#witnesses = this.#policy && new Witnesses(repository, this.#policy, now);
  }

  async verdict(): Promise<Verdict> {
    const { accepted } = this.#input;
    const head = await this.#repository.readCommit(this.#input.head);
    return accepted === undefined ? this.#first(head) : this.#next(head, accepted);
  }

  /** Nothing came before it, so that only where it writes to can be judged. */
  async #first(head: Commit): Promise<Verdict> {
    this.#holding.begin(head.oid);
    const net = await this.#scope.changes(null, head.tree);
    const rule = new NamespaceRule(this.#aspectsAt(head, net), this.#input, this.#holding);
    const bad = await rule.judge(net, () => head.oid);
    const records = await seenUpTo(this.#repository, this.#scope, this.#holding, head.oid);
    return { ...(await this.#told(head, bad)), returns: [], learnt: { records } };
  }

  async #next(head: Commit, accepted: string): Promise<Verdict> {
    const isThere = this.#repository.objects.has(accepted);
    const former = isThere ? (await this.#repository.readCommit(accepted)).tree : null;
    const net = await this.#scope.changes(former, head.tree);
    const held = new HeldTexts(this.#scope, former, net);
    const values = new ValueRule({
      repository: this.#repository,
      sealedBefore: this.#input.sealedBefore,
      holding: this.#holding,
      accepted,
      head: head.oid,
      tree: head.tree,
      // Of what was accepted; it is held from then on, whatever this head brings.
      prime: () => seenUpTo(this.#repository, this.#scope, new Holding(Infinity), isThere ? accepted : head.oid),
      isHeld: (path, aspect, text) => held.has(path, aspect, text),
    });
    const ledger = new Ledger(this.#policy, values, this.#holding);
    const start = await this.#start(head, accepted, former, ledger);
    const state = await this.#walk(head, start, ledger);
    const aspectsAt = this.#aspectsAt(head, net);
    const namespaces = new NamespaceRule(aspectsAt, this.#input, this.#holding);
    const writer = (path: string, aspect: string) => ledger.writerOf(path, aspect) ?? head.oid;
    const bad = await namespaces.judge(net, writer);
    for (const one of state.bad()) if (!isIdle(one, await aspectsAt(one.path))) bad.push(one);
    const textAt = async (path: string, aspect: string) => (await aspectsAt(path)).get(aspect)?.text;
    for (const path of new Set([...net, ...this.#input.outstanding].map((one) => one.path))) {
      for (const [name, aspect] of await aspectsAt(path)) {
        if (state.get(path, name)?.bad === undefined) values.take(aspect);
      }
    }
    return {
      ...(await this.#told(head, bad)),
      ...(start.endorsedBy === undefined ? {} : { endorsedBy: start.endorsedBy }),
      returns: await values.returns(textAt),
      learnt: await values.learnt(),
    };
  }

  /** What a file says at the head; `net`: files of which that is known. Others are looked for one by one. */
  #aspectsAt(head: Commit, net: readonly Change[]): (path: string) => Promise<Aspects> {
    const sides = new Map(net.map(({ path, after }) => [path, after]));
    return async (path) => {
      const side = sides.has(path) ? sides.get(path) : await this.#scope.fileAt(head.tree, path);
      return this.#scope.aspects(path, side);
    };
  }

  /**
   * The accepted commit, if the head descends from it. Else what somebody endorsed in its stead: that state is the endorser's own
   * change of all that differs, so that who may endorse but not change a path cannot take it back to an older state either.
   */
  async #start(head: Commit, accepted: string, former: string | null, ledger: Ledger): Promise<Start> {
    const state = State.of(this.#input.outstanding.filter(({ rule }) => rule !== 'namespace'));
    await this.#judgeAgain(state, ledger);
    if (former !== null && (await isAncestor(this.#repository, accepted, head.oid))) return { commit: accepted, state };
    const commits = await this.#commits(former === null ? undefined : accepted, head.oid);
    const endorsement = (await this.#endorsements(commits)).findLast(({ abandons }) => abandons.includes(accepted));
    if (endorsement === undefined) throw this.#diverged(accepted, head, commits);
    const { commit, signer, by } = endorsement;
    const { tree } = await this.#repository.readCommit(commit);
    this.#holding.begin(commit);
    const proposals = await proposalsOf(this.#scope, await this.#scope.changes(former, tree), this.#holding);
    await ledger.apply(state, { commit, signers: [signer] }, proposals);
    this.#signers.set(commit, [signer]);
    ledger.endorse(state, [signer], () => true);
    return { commit, state, endorsedBy: { commit: by, signer } };
  }

  async #walk(head: Commit, { commit: root, state }: Start, ledger: Ledger): Promise<State> {
    if (this.#input.mode !== 'strict' || this.#witnesses === undefined)
      return this.#walkHeads(head, root, state, ledger);
    const commits = await this.#commits(root, head.oid);
    const walk = new StrictWalk({
      repository: this.#repository,
      scope: this.#scope,
      ledger,
      holding: this.#holding,
      witnesses: this.#witnesses,
      endorsements: await this.#endorsements(commits),
    });
    const outstanding = [...state.bad()];
    const end = await walk.walk(root, state, commits);
    for (const [oid, signers] of walk.signers) this.#signers.set(oid, signers);
    const merge = commits.findLast(({ parents }) => parents.length > 1);
    if (merge !== undefined) {
      const { tree } = await this.#repository.readCommit(root);
      await refuseRollBacks(this.#scope, end, { from: tree, to: head.tree, merge: merge.oid, outstanding });
    }
    return end;
  }

  /** The head's signer answers for all; for what somebody endorsed on the way, up to there, the endorser. In mode off nobody has to. */
  async #walkHeads(head: Commit, root: string, state: State, ledger: Ledger): Promise<State> {
    let at = root;
    const isSigned = this.#witnesses !== undefined;
    const endorsements = isSigned ? await this.#endorsements(await this.#commits(root, head.oid)) : [];
    for (const { commit, signer } of endorsements) {
      await this.#scope.turn();
      if (commit === at || !(await isAncestor(this.#repository, at, commit))) {
        ledger.endorse(state, [signer], (bad) => bad.commit === commit);
        continue;
      }
      await this.#step(at, commit, state, ledger, [signer]);
      at = commit;
    }
    const witness = await this.#headWitness(head);
    const signers = witness?.signer === undefined ? [] : [witness.signer];
    await this.#step(at, head.oid, state, ledger, signers, witness?.fault);
    return state;
  }

  async #step(
    from: string,
    to: string,
    state: State,
    ledger: Ledger,
    signers: readonly Signer[],
    fault?: CofferError,
  ): Promise<void> {
    const trees = [
      (await this.#repository.readCommit(from)).tree,
      (await this.#repository.readCommit(to)).tree,
    ] as const;
    this.#holding.begin(to);
    const proposals = await proposalsOf(this.#scope, await this.#scope.changes(...trees), this.#holding);
    this.#signers.set(to, signers);
    await ledger.apply(state, { commit: to, signers, ...(fault === undefined ? {} : { fault }) }, proposals);
  }

  /** What is held back may be allowed by now: the policy or the signers changed. */
  async #judgeAgain(state: State, ledger: Ledger): Promise<void> {
    if (this.#isByTag()) return;
    for (const commit of new Set([...state.bad()].map((bad) => bad.commit))) {
      await this.#scope.turn();
      if (!this.#repository.objects.has(commit)) continue;
      const witness = await this.#witnesses?.ofCommit({ oid: commit });
      const signers = witness?.signer === undefined ? [] : [witness.signer];
      this.#signers.set(commit, signers);
      ledger.endorse(state, signers, (bad) => bad.commit === commit);
    }
  }

  async #commits(from: string | undefined, to: string): Promise<Commit[]> {
    const commits: Commit[] = [];
    for await (const commit of commitsBetween(this.#repository, { from, to })) {
      await this.#scope.turn();
      const { author, message } = commit;
      this.#holding.begin(commit.oid);
      this.#holding.keep(WEIGHTS.commit + author.name.length + author.email.length + message.length);
      commits.push(commit);
    }
    return commits;
  }

  async #endorsements(commits: readonly Commit[]): Promise<Endorsement[]> {
    if (this.#witnesses === undefined || this.#policy === undefined) return [];
    return endorsementsIn(this.#repository, commits, {
      witnesses: this.#witnesses,
      policy: this.#policy,
      signal: this.#input.signal,
    });
  }

  async #headWitness(head: Commit): Promise<Witness | undefined> {
    const { tag, ref } = this.#input;
    if (!this.#isByTag()) return this.#witnesses?.ofCommit(head);
    return this.#witnesses?.ofTag(tag ?? head.oid, head.oid, ref);
  }

  /** Where a tag is followed, the tag is what people sign to release: a commit that was signed on its way is not one. */
  #isByTag(): boolean {
    const { mode, tag, ref } = this.#input;
    return mode === 'head' && (tag !== undefined || ref?.startsWith('refs/tags/') === true);
  }

  async #told(
    head: Commit,
    bad: readonly Outstanding[],
  ): Promise<Pick<Verdict, 'signer' | 'refusals' | 'outstanding'>> {
    const commits = new Map([[head.oid, head]]);
    for (const { commit } of bad) {
      const isKnown = commits.has(commit) || !this.#repository.objects.has(commit);
      if (!isKnown) commits.set(commit, await this.#repository.readCommit(commit));
    }
    const signerOf = (oid: string) => this.#signers.get(oid)?.[0]?.names.join(', ');
    const witness = await this.#headWitness(head);
    const refusals = groupRefusals(bad, (oid) => commits.get(oid) ?? head, this.#policy, signerOf);
    return { ...(witness?.signer === undefined ? {} : { signer: witness.signer }), refusals, outstanding: bad };
  }

  #diverged(accepted: string, head: Commit, commits: readonly Commit[]): CofferError {
    const shallow = this.#repository.shallow();
    const end = commits.find(({ oid, parents }) => parents.length > 0 && shallow.has(oid));
    if (end !== undefined && this.#input.mode === 'strict') return historyShallow(end.oid);
    const [from, to] = [accepted.slice(0, 12), head.oid.slice(0, 12)];
    const { name, email } = head.author;
    return new CofferError(
      'TRUST_DIVERGED',
      `the head ${to} by ${printable(name)} <${printable(email)}> does not descend from the accepted commit ${from}: the branch was rewound or replaced`,
      {
        advice: `Find out who pushed it. If it is meant, a signer to whom the policy grants \`endorse\` runs \`coffer endorse ${head.oid} --instead-of ${accepted}\`; else push the former branch again.`,
        data: { commit: head.oid },
      },
    );
  }
}

function policyMissing(mode: string): CofferError {
  return new CofferError('TRUST_POLICY_MISSING', `the trust mode ${mode} has no policy that says who the signers are`, {
    advice: 'Name a file of kind TrustPolicy as trust.policy of the source; docs/trust.md shows one.',
    loop: 'stop',
  });
}
