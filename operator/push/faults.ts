import { CofferError } from '../../core/errors.ts';

/** What keeps an operator from pushing. All leave the repository as it was, and are tried again. */
const FAULTS = {
  PUSH_WAITS: [
    'the branch has commits that this operator has not accepted',
    'Wait: they are looked at first; if they are refused, the trouble of the source says why.',
  ],
  PUSH_RACE: ['somebody else pushed first', 'Wait: the operator looks at what they pushed, and begins anew.'],
  PUSH_REJECTED: [
    'the server refuses the commit',
    'Let the operator’s user push to this branch, or name another in `push.branch`, from which people merge; until then `coffer recipients rewrap` or `coffer rotate --collect` take what the operator published.',
  ],
  PUSH_FORBIDDEN: [
    'the credentials may read the repository and not write to it',
    'Give the operator’s token or deploy key the right to push, or leave `push` out.',
  ],
  PUSH_BRANCH_FOREIGN: [
    'the branch holds commits that this operator did not put there',
    'Merge or delete it, or name another in `push.branch`: what people pushed is not replaced.',
  ],
  PUSH_NO_IDENTITY: [
    'there is no identity to sign with yet',
    'Let the operator enrol (it makes its identity then), or put the identity into its keys.',
  ],
  PUSH_UNTRUSTED: [
    'the trust policy of this operator would refuse what it is about to push',
    'Add what `coffer recipients signer` prints to the signers of the policy, and grant it what the message names.',
  ],
  PUSH_HELD: [
    'it would change a file that is held back',
    'Mend that file first: the trouble of the source says what is wrong with it.',
  ],
  PUSH_NO_GIT: [
    'a repository on this machine is written to by git itself, which is not installed',
    'Install git beside the operator, or give the repository’s https:// or ssh:// address as `url`.',
  ],
} as const satisfies Record<string, readonly [string, string]>;

export type PushFault = keyof typeof FAULTS;

/** `place`: of the repository, without credentials. `detail`: what else is known, printable and short. */
export function pushFault(
  fault: PushFault,
  { place, branch, detail, cause }: { place: string; branch?: string; detail?: string | undefined; cause?: unknown },
): CofferError {
  const [message, advice] = FAULTS[fault];
  const where = branch === undefined ? place : `${place}, branch ${branch}`;
  return new CofferError(fault, `${where}: ${message}${detail === undefined ? '' : ` (${detail})`}`, {
    advice,
    data: { source: place },
    loop: 'retry',
    cause,
  });
}
