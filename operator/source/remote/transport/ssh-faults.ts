import { CofferError } from '../../../../core/errors.ts';
import { fingerprintOf } from '../../../../core/signatures/ssh/public-key.ts';
import { type SourceFault, sourceFault } from '../faults.ts';
import type { HostVerdict } from './known-hosts.ts';

const HOST_FAULTS = {
  unknown: [
    'SSH_HOST_UNKNOWN',
    'is not in the known hosts',
    'Compare the fingerprint with the one that the host’s administrators publish, then add the line of `ssh-keyscan`.',
  ],
  changed: [
    'SSH_HOST_CHANGED',
    'is not the one in the known hosts: the host has a new key, or another answers in its place',
    'Ask the host’s administrators; replace its lines only when they name this fingerprint.',
  ],
  revoked: [
    'SSH_HOST_REVOKED',
    'is marked as revoked in the known hosts',
    'Do not connect: whoever has this key can pose as the host. Ask its administrators.',
  ],
  certificate: [
    'SSH_HOST_CERTIFICATE',
    'is vouched for by a certificate authority at most, which coffer does not check',
    'Add the host’s own key to the known hosts, beside the line of `@cert-authority`.',
  ],
} as const satisfies Record<Exclude<HostVerdict, 'known'>, readonly [string, string, string]>;

/** A host showed a key that is not trusted. `address`: of the source. */
export function hostFault(verdict: Exclude<HostVerdict, 'known'>, key: Buffer, address: string): CofferError {
  const [code, what, advice] = HOST_FAULTS[verdict];
  return new CofferError(code, `${address}: the host’s key ${fingerprintOf(key)} ${what}`, {
    advice,
    data: { source: address },
    loop: 'retry',
  });
}

export function keyRefused(address: string, key: Buffer, user: string): CofferError {
  const message = `${address}: the server refuses the key ${fingerprintOf(key)} for the user ${user}`;
  return new CofferError('SSH_KEY_REFUSED', message, {
    advice: 'Add the public half to the repository’s deploy keys, or check `sshKeyFile` and the user in `url`.',
    data: { source: address },
    loop: 'retry',
  });
}

/** What ssh2, or the socket under it, says went wrong before a program ran. */
export function connectionFault(error: unknown, address: string): SourceFault | CofferError {
  const { message = '', level, code } = error as { message?: string; level?: string; code?: unknown };
  if (level === 'handshake' && /no matching/i.test(message)) {
    return new CofferError('SSH_ALGORITHMS', `${address}: the server and coffer share no algorithm (${message})`, {
      advice: 'Update the ssh server, or add its ed25519, ecdsa or rsa key to the known hosts.',
      data: { source: address },
      loop: 'retry',
      cause: error,
    });
  }
  if (level === 'client-timeout') return sourceFault('SOURCE_SILENT', { address, cause: error });
  const detail = typeof code === 'string' ? code : 'the connection broke';
  // Whatever else ssh2 calls an error: the other side speaks no ssh, or not as it should.
  const isForeign = code === undefined && !/Connection lost/.test(message);
  return isForeign
    ? sourceFault('SOURCE_PROTOCOL', { address, cause: error })
    : sourceFault('SOURCE_UNREACHABLE', { address, detail, cause: error });
}
