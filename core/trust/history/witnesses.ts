import { CofferError } from '../../errors.ts';
import { readSigned } from '../../git/commits/signed-object.ts';
import type { Commit, Repository } from '../../git/repository.ts';
import type { Signer } from '../../signatures/signer.ts';
import type { Judged } from '../../signatures/signers.ts';
import type { Policy } from '../policy/policy.ts';

/** Who signed, or why that does not count. */
export type Witness = { signer: Signer; fault?: undefined } | { signer?: undefined; fault: CofferError };

/** Verifies each commit and tag once, over the bytes that are stored. */
export class Witnesses {
  readonly #repository: Repository;
  readonly #policy: Policy;
  readonly #now: Date;
  readonly #found = new Map<string, Witness>();

  constructor(repository: Repository, policy: Policy, now: Date) {
    this.#repository = repository;
    this.#policy = policy;
    this.#now = now;
  }

  async ofCommit({ oid }: Pick<Commit, 'oid'>): Promise<Witness> {
    const known = this.#found.get(oid);
    if (known !== undefined) return known;
    const witness = await this.#witness('commit', oid);
    this.#found.set(oid, witness);
    return witness;
  }

  /**
   * Of the annotated tag that names `commit`, followed by the ref `refs/tags/NAME`. That the tag says NAME too keeps somebody from
   * offering a signed tag of old under a new name.
   */
  async ofTag(tag: string, commit: string, ref: string | undefined): Promise<Witness> {
    return this.#witness('tag', tag, (name, target) => {
      if (target !== commit) return 'it names another commit';
      if (ref !== undefined && ref !== `refs/tags/${name}`) return 'it was made under another name';
      return undefined;
    });
  }

  async #witness(
    type: 'commit' | 'tag',
    oid: string,
    objection: (name: string, target: string) => string | undefined = () => undefined,
  ): Promise<Witness> {
    let judged: Judged;
    try {
      const object = this.#repository.readRaw(oid);
      if (object.type !== type) return { fault: fault('TRUST_UNSIGNED', `a ${object.type} stands for the ${type}`) };
      const signed = readSigned(type, oid, object.bytes);
      const why = signed.tag === undefined ? undefined : objection(signed.tag.name, signed.tag.target);
      if (why !== undefined) return { fault: fault('SIGNATURE_OTHER_TAG', `the signed tag does not count: ${why}`) };
      judged = await this.#policy.signers.verify(signed, this.#now);
    } catch (error) {
      if (!(error instanceof CofferError) || error.code === 'GIT_OBJECT_MISSING') throw error;
      return { fault: error };
    }
    if (judged.outcome === 'good') return { signer: judged.signer };
    return {
      fault: judged.outcome === 'refused' ? judged.error : fault('TRUST_UNSIGNED', `the ${type} has no signature`),
    };
  }
}

function fault(code: string, message: string): CofferError {
  return new CofferError(code, message, { advice: 'Make it again: `git commit -S`, `git tag -s`.' });
}
