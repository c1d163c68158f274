import { CofferError, type LoopAction } from '../../core/errors.ts';

/** What can be wrong with a place that is watched. All leave what was accepted as it is. */
const FAULTS = {
  SOURCE_MISSING: ['there is no repository', 'Check `url`; if the repository moved, change it in the configuration.'],
  SOURCE_EMPTY: ['the repository has no commit yet', 'Push the first commit.'],
  SOURCE_BRANCH_MISSING: ['the repository has no such branch', 'Check `branch`, or push the branch again.'],
  SOURCE_UNAUTHORIZED: [
    'the server refuses the credentials',
    'Check the credential files and what they are allowed to read.',
  ],
  SOURCE_UNREACHABLE: ['the server cannot be reached', 'Check the address and the network; it is tried again.'],
  SOURCE_UNAVAILABLE: ['the server answers with an error', 'Look at the server’s log; it is tried again.'],
  SOURCE_CERTIFICATE: ['the server’s certificate is not trusted', 'Name the CA in `caFile`, or renew the certificate.'],
  SOURCE_REDIRECTED: ['the server redirects to where it may not', 'Put the address that it should be into `url`.'],
  SOURCE_TIMEOUT: [
    'the fetch took longer than `timeout`',
    'Raise `timeout`, or look why the server is slow; it is tried again.',
  ],
  SOURCE_TOO_LARGE: ['the server sends more than is taken', 'Keep secrets in a repository of their own.'],
  SOURCE_INCOMPLETE: ['what was fetched is damaged or not whole', 'Run `git fsck` on the server; it is tried again.'],
  SOURCE_PROTOCOL: [
    'the server does not speak git’s smart HTTP protocol',
    'Check `url`: it must be what `git clone` takes.',
  ],
} as const satisfies Record<string, readonly [string, string]>;

export type Fault = keyof typeof FAULTS;

export interface FaultDetails {
  /** Without credentials. */
  address: string;
  /** What is known beyond the fault itself: a system code, a status; never a body or header of an answer. */
  detail?: string;
  commit?: string;
  cause?: unknown;
}

export function sourceFault(fault: Fault, details: FaultDetails): CofferError {
  const [message, advice] = FAULTS[fault];
  const detail = details.detail === undefined ? '' : ` (${details.detail})`;
  // Each of these may be over at the next poll.
  const loop: LoopAction = 'retry';
  return new CofferError(fault, `${details.address}: ${message}${detail}`, {
    advice,
    loop,
    data: { source: details.address, ...(details.commit === undefined ? {} : { commit: details.commit }) },
    cause: details.cause,
  });
}
