import { namesOf } from '../project/namespaced-name.ts';
import type { SecretStatus } from '../status/status.ts';

/** A condition without its times. */
export interface Verdict {
  type: 'Ready' | 'Verified' | 'Reconciling' | 'Stalled';
  status: 'True' | 'False' | 'Unknown';
  /** CamelCase, for programs; where it comes from an error, its code. */
  reason: string;
  /** What is so, and what to do about it. Says the same for as long as it is so. */
  message: string;
}

/** Codes that have a name of their own among Kubernetes' people. */
const REASONS: Readonly<Record<string, string>> = {
  MANIFEST_OWNED_ELSEWHERE: 'Conflict',
  SECRET_SUSPENDED: 'Suspended',
};

/** Of so many namespaces the names are listed. */
const NAMED = 5;

/**
 * Ready: the newest manifest is projected. Verified: an accepted commit vouches for what the object says. Beside a Ready that is not
 * True stands Reconciling or Stalled, by which kstatus (Flux, `kubectl wait`, Argo CD's tools) knows whether to go on waiting:
 * https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md
 */
export function conditionsOf(secret: SecretStatus, isMirror: boolean): Verdict[] {
  const ready = readyOf(secret);
  const verified = verifiedOf(secret, isMirror);
  return [ready, ...(verified === undefined ? [] : [verified]), ...progressOf(secret, ready)];
}

function readyOf(secret: SecretStatus): Verdict {
  const { state, trouble, commit, heldBy } = secret;
  switch (state) {
    case 'ready':
      return { type: 'Ready', status: 'True', reason: 'Projected', message: whereOf(namespacesOf(secret)) };
    case 'retained':
      return {
        ...{ type: 'Ready', status: 'True', reason: 'Retained' },
        message: 'Its manifest is gone, and what was projected stays, as its deletionPolicy says.',
      };
    case 'held':
      return {
        ...{ type: 'Ready', status: 'False', reason: 'RemovalHeld' },
        message:
          'Its manifest is gone with a commit that removes many: what is projected stays until a person confirms. ' +
          `Run \`coffer-operator --config FILE --confirm ${heldBy ?? 'COMMIT'}\` in the operator's pod, or put the manifests back.`,
      };
    case 'pending':
      return { type: 'Ready', status: 'Unknown', reason: 'Pending', message: 'The operator has not come to it yet.' };
    case 'failed': {
      const { code = 'RECONCILE_UNEXPECTED', message = '', advice = '' } = trouble ?? {};
      const stays = commit === undefined ? '' : ' What was projected before stays.';
      return {
        ...{ type: 'Ready', status: 'False', reason: REASONS[code] ?? camelCase(code) },
        message: `${sentence(message)}${stays} ${sentence(advice)}`.trim(),
      };
    }
  }
}

function verifiedOf(secret: SecretStatus, isMirror: boolean): Verdict | undefined {
  const { verified, source, state, trouble, commit } = secret;
  if (isMirror && trouble?.code.startsWith('TRUST_')) {
    return {
      ...{ type: 'Verified', status: 'True', reason: 'Behind' },
      message: `It is as ${commit ?? 'an accepted commit'} had it; a newer version is held back: ${sentence(trouble.message)}`,
    };
  }
  if (isMirror) {
    const isGone = state === 'held' || state === 'retained';
    return {
      type: 'Verified',
      ...(isGone ? { status: 'False', reason: 'NoCommit' } : { status: 'True', reason: 'Vouched' }),
      message: isGone ? 'No accepted commit has it any more.' : `The operator applied it from ${source ?? 'git'}.`,
    };
  }
  if (verified === undefined) return undefined;
  const { status, reason, message } = verified;
  return { type: 'Verified', status, reason, message };
}

function progressOf({ state, isRetried }: SecretStatus, { status, reason, message }: Verdict): Verdict[] {
  if (status === 'True') return [];
  const isMoving = state === 'pending' || (state === 'failed' && isRetried === true);
  return [{ type: isMoving ? 'Reconciling' : 'Stalled', status: 'True', reason, message }];
}

/** Where it is projected: sorted, each once. */
export function namespacesOf({ workloads }: SecretStatus): string[] {
  return [...new Set(workloads.map((workload) => namesOf(workload).namespace))].sort();
}

function whereOf(namespaces: readonly string[]): string {
  if (namespaces.length === 0) return 'It can be opened; nothing but volumes for its readers is made of it here.';
  const more = namespaces.length - NAMED;
  return `It is projected into ${namespaces.slice(0, NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}.`;
}

/** As programs that read conditions expect a reason: `STANZA_UNKNOWN_KEY` → `StanzaUnknownKey`. */
function camelCase(code: string): string {
  return code
    .toLowerCase()
    .split('_')
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('');
}

function sentence(text: string): string {
  const trimmed = text.trim();
  if (trimmed === '') return '';
  return `${trimmed.slice(0, 1).toUpperCase()}${trimmed.slice(1)}${/[.!?]$/.test(trimmed) ? '' : '.'}`;
}
