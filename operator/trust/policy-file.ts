import { stat } from 'node:fs/promises';
import { CofferError } from '../../core/errors.ts';
import { fromSystemError } from '../../core/files/system-error.ts';
import { type Policy, readPolicy } from '../../core/trust/policy/policy.ts';
import type { LastingRules, LastRules } from './last-rules.ts';

/** A policy that is read again when one of its files is another: ConfigMaps and configuration management replace them at any time. */
export class PolicyFile {
  readonly #file: string;
  readonly #lastRules: LastRules;
  #read: { policy: Policy; stamp: string } | undefined;

  constructor(file: string, lastRules: LastRules) {
    this.#file = file;
    this.#lastRules = lastRules;
  }

  /** Throws `TRUST_POLICY_…`, `SIGNERS_…`: then nobody is trusted until it can be read again. */
  async read(): Promise<Policy> {
    const policy = await this.#policy();
    await this.#lastRules.note(policy);
    return policy;
  }

  /** While it cannot be read, those that it had; where nobody knows which, throws as `read` does. */
  async lastingRules(): Promise<LastingRules> {
    try {
      return await this.read();
    } catch (error) {
      const { known } = this.#lastRules;
      if (known === undefined) throw error;
      if (!(error instanceof CofferError) && fromSystemError(error) === undefined) throw error;
      return known;
    }
  }

  async #policy(): Promise<Policy> {
    const before = this.#read;
    if (before !== undefined && (await stampOf(before.policy.files)) === before.stamp) return before.policy;
    this.#read = undefined;
    const policy = await readPolicy(this.#file);
    // Where somebody replaces them now, the stamp may be that of the next ones; so it is taken only if nothing moved.
    const stamp = await stampOf(policy.files);
    if (stamp !== undefined && (await readPolicy(this.#file)).digest === policy.digest) this.#read = { policy, stamp };
    return policy;
  }
}

/** Of the files as they are; `undefined`: one is not there. Links are followed: a ConfigMap's files are replaced by one. */
async function stampOf(files: readonly string[]): Promise<string | undefined> {
  const stamps: string[] = [];
  for (const file of files) {
    try {
      const { ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
      stamps.push([file, ino, size, mtimeNs, ctimeNs].join());
    } catch (error) {
      if (error instanceof Error && 'code' in error && typeof error.code === 'string') return undefined;
      throw error;
    }
  }
  return stamps.join('\n');
}
