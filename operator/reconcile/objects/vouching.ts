import { nothingFor } from '../../../core/errors.ts';
import type { Manifest } from '../../../core/format/manifest/manifest.ts';
import { type Key, keyOf } from '../../project/namespaced-name.ts';
import type { Verified } from '../../status/status.ts';
import type { HeldPath } from '../../trust/held-path.ts';
import type { Claim, Origin } from '../state/claim.ts';
import { Claims } from '../state/claims.ts';
import type { GitWatched } from '../state/git-watched.ts';
import type { Good } from '../state/state.ts';
import { isSameForUs } from './same-for-us.ts';

export interface Verdict {
  verified: Verified;
  /** Of the commit that has it. */
  origin?: Origin;
  /** A manifest in git has the name itself, and nobody else's object is projected under it. */
  isGits: boolean;
}

/** What git says of the EncryptedSecret objects that others apply. */
export class Vouching {
  /** Manifests of sources whose objects others carry: those that are sealed to this cluster. */
  readonly claims = new Claims();
  readonly #carried: Claims;
  readonly #git: readonly GitWatched[];

  /** `carried`: the claims of manifests that the operator projects by itself. */
  constructor(git: readonly GitWatched[], carried: Claims) {
    this.#git = git;
    this.#carried = carried;
  }

  /** Recipients that this cluster is, by any keyring. */
  own(cluster: string): Set<string> {
    return new Set([cluster, ...this.#git.flatMap(({ own }) => [...own])]);
  }

  /** `good`: what was projected of it last, and what its text was. */
  async judge(
    manifest: Manifest,
    own: ReadonlySet<string>,
    good?: { good: Good; manifest: Manifest },
  ): Promise<Verdict> {
    const home = keyOf(manifest.namespace, manifest.name);
    const ofGit = this.#of(this.#carried, home);
    const candidates = ofGit.length > 0 ? ofGit : this.#of(this.claims, home);
    const isGits = ofGit.length > 0;
    for (const { claim, source } of candidates) {
      if (!isSameForUs(manifest, await readIfPossible(source, claim), own)) continue;
      const verified = vouched(claim.origin.commit, source.heldAt(claim.path));
      return { verified, origin: claim.origin, isGits };
    }
    const [other] = candidates;
    if (other === undefined) return { verified: noCommit(home), isGits };
    // Whoever carries it may be behind, or the newest may be what cannot be projected.
    if (!isGits && good !== undefined && good.good.commit !== '' && isSameForUs(manifest, good.manifest, own))
      return { verified: behind(good.good.commit, home, other.claim), origin: good.good, isGits };
    return { verified: differs(home, other.claim, other.source.heldAt(other.claim.path)), isGits };
  }

  #of(claims: Claims, home: Key): { claim: Claim; source: GitWatched }[] {
    return claims.to(home).flatMap((claim) => {
      const source = claim.home === home ? this.#git.find(({ id }) => id === claim.source) : undefined;
      return source === undefined ? [] : [{ claim, source }];
    });
  }
}

async function readIfPossible(source: GitWatched, claim: Claim): Promise<Manifest | undefined> {
  return (await source.read({ ...claim, ...claim.origin }).catch(nothingFor()))?.manifest;
}

/** `held`: a newer version of its file, that is not taken. */
function vouched(commit: string, held: HeldPath | undefined): Verified {
  if (held !== undefined) {
    const message = `it is as the accepted commit ${commit} has it, and a newer version is held back: ${held.error.message}`;
    return { status: 'True', reason: 'Behind', message, commit };
  }
  return { status: 'True', reason: 'Vouched', message: `the accepted commit ${commit} has it as it is here`, commit };
}

/** It stays projected, and people see that a newer one, which may take away a reader, has not come through. */
function behind(commit: string, home: Key, { path, origin }: Claim): Verified {
  const message = `${home} is as the accepted commit ${commit} had it, and stands otherwise in ${path} as of the newer commit ${origin.commit}`;
  return { status: 'True', reason: 'Behind', message, commit };
}

function differs(home: Key, { path, origin }: Claim, held: HeldPath | undefined): Verified {
  const more = held === undefined ? '' : `; a newer version of that is held back: ${held.error.message}`;
  const message = `${home} stands otherwise in ${path} as of the accepted commit ${origin.commit}${more}`;
  return { status: 'False', reason: 'Differs', message };
}

function noCommit(home: Key): Verified {
  return { status: 'False', reason: 'NoCommit', message: `no accepted commit has ${home}` };
}
