import { CofferError, type LoopAction } from '../../../core/errors.ts';

/** What can be wrong with a place that is watched. All leave what was accepted as it is. */
const FAULTS = {
  SOURCE_MISSING: [
    'there is no repository',
    'Check `url`; or let the credentials read it: many forges say the same of what the credentials may not see.',
  ],
  SOURCE_EMPTY: ['the repository has no commit yet', 'Push the first commit.'],
  SOURCE_BRANCH_MISSING: ['the repository has no such branch', 'Check `branch`, or push the branch again.'],
  SOURCE_TAG_MISSING: ['the repository has no tag that matches', 'Check `tag`, or push a tag that it matches.'],
  SOURCE_MOVED: ['what was seen is gone before it was fetched', 'Wait: it is looked at again at the next poll.'],
  SOURCE_UNAUTHORIZED: [
    'the server refuses the credentials',
    'Check the credential files and what they are allowed to read.',
  ],
  SOURCE_UNREACHABLE: ['the server cannot be reached', 'Check the address and the network; it is tried again.'],
  SOURCE_UNAVAILABLE: ['the server answers with an error', 'Look at the server’s log; it is tried again.'],
  SOURCE_BUSY: [
    'the server asks for fewer requests',
    'Raise `interval`, or let a webhook wake the source; it is tried again when the server wants.',
  ],
  SOURCE_CERTIFICATE: ['the server’s certificate is not trusted', 'Name the CA in `caFile`, or renew the certificate.'],
  SOURCE_CLIENT_CERTIFICATE: [
    'the server refuses the certificate of this operator, or asks for one',
    'Check `clientCertFile` and `clientKeyFile`, and that the server trusts who issued them.',
  ],
  SOURCE_PROXY: [
    'the proxy does not let it through',
    'Check `proxy`, or HTTPS_PROXY and NO_PROXY of the operator, and what the proxy allows.',
  ],
  SOURCE_REDIRECTED: ['the server redirects to where it may not', 'Put the address that it should be into `url`.'],
  SOURCE_TIMEOUT: [
    'the fetch took longer than `timeout`',
    'Raise `timeout`, or look why the server is slow; it is tried again.',
  ],
  SOURCE_JUDGING_TIMEOUT: [
    'judging what came since the accepted commit takes longer than ten times `timeout`',
    'Raise `timeout` if so much was pushed by people; else find out who pushed it. It is tried again.',
  ],
  SOURCE_SILENT: ['the server sent nothing for too long', 'Look why the server hangs; it is tried again.'],
  SOURCE_TOO_LARGE: [
    'there is more than is taken',
    'Keep secrets in a repository of their own, or in a folder that `path` names.',
  ],
  SOURCE_INCOMPLETE: ['what was fetched is damaged or not whole', 'Run `git fsck` on the server; it is tried again.'],
  SOURCE_PROTOCOL: ['the server does not speak git’s protocol', 'Check `url`: it must be what `git clone` takes.'],
} as const satisfies Record<string, readonly [string, string]>;

export type Fault = keyof typeof FAULTS;

export interface FaultDetails {
  /** Without credentials. */
  address: string;
  /** What is known beyond the fault itself: a system code, a status, a line of the server's made printable; never a body. */
  detail?: string | undefined;
  commit?: string;
  /** Milliseconds in which the server wants no other request. */
  retryAfter?: number | undefined;
  cause?: unknown;
}

/** Something is wrong with a source, which may be over at the next poll. */
export class SourceFault extends CofferError {
  /** Milliseconds in which the server wants no other request. */
  readonly retryAfter: number | undefined;

  constructor(fault: Fault, details: FaultDetails) {
    const [message, advice] = FAULTS[fault];
    const detail = details.detail === undefined ? '' : ` (${details.detail})`;
    const loop: LoopAction = 'retry';
    super(fault, `${details.address}: ${message}${detail}`, {
      advice,
      loop,
      data: { source: details.address, ...(details.commit === undefined ? {} : { commit: details.commit }) },
      cause: details.cause,
    });
    this.retryAfter = details.retryAfter;
  }
}

export function sourceFault(fault: Fault, details: FaultDetails): SourceFault {
  return new SourceFault(fault, details);
}

const LONGEST_REMARK = 200;

/** What a server says in its own words, fit for terminals and logs: one line, no control or direction characters, not long. */
export function remark(text: string): string | undefined {
  const line = text
    .slice(0, 4 * LONGEST_REMARK)
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
  if (line === '') return undefined;
  return `the server says: ${line.length > LONGEST_REMARK ? `${line.slice(0, LONGEST_REMARK)}…` : line}`;
}
