import type { IncomingHttpHeaders } from 'node:http';
import { objectOf, parseJson } from '../../core/json.ts';
import type { HttpAnswer } from './exchange.ts';
import { KubernetesError, type KubernetesErrorCode } from './kubernetes-error.ts';
import type { ObjectName, Resource } from './resource.ts';

/** What was asked, in the terms of RBAC. */
export interface Asked {
  verb: 'get' | 'list' | 'watch' | 'create' | 'patch' | 'update' | 'delete';
  resource: Resource;
  name: Partial<ObjectName>;
}

/** Kubernetes' `Status`, as far as anything is read of it. */
interface Status {
  reason?: unknown;
  message?: unknown;
  details?: { name?: unknown; kind?: unknown; causes?: unknown; retryAfterSeconds?: unknown };
}

interface Cause {
  reason?: unknown;
  field?: unknown;
  message?: unknown;
}

/**
 * The error for an answer that is no success. Server messages may quote what was sent, so of the answer only its status, its
 * reason, names of fields and of field managers get into the error; from the text it is only told apart what the reason does not tell.
 */
export function refusalOf(asked: Asked, { status, headers, body }: HttpAnswer): KubernetesError {
  const answer = statusOf(body);
  const reason = wordOf(answer.reason);
  const code = codeOf(asked, status, answer);
  const { message, advice, loop } = WORDS[code];
  const { verb, resource, name } = asked;
  const what = `${verb} ${resource.plural}${name.namespace === undefined ? '' : ` in namespace ${name.namespace}`}`;
  const causes = causesOf(answer);
  const detail = DETAILS[code]?.(causes) ?? '';
  return new KubernetesError(
    code,
    `${message} (${what}: ${status}${reason === undefined ? '' : ` ${reason}`}${detail}).`,
    {
      advice,
      loop,
      data: {
        ...(name.namespace === undefined ? {} : { namespace: name.namespace }),
        ...(name.name === undefined ? {} : { name: name.name }),
      },
      status,
      reason,
      retryAfter: retryAfter(headers),
    },
  );
}

/** Whether a 404 says that this very object is not there, rather than its namespace or its kind. */
export function isAbsent({ resource, name }: Asked, { status, body }: HttpAnswer): boolean {
  if (status !== 404) return false;
  const { details } = statusOf(body);
  return details?.name === name.name && details?.kind === resource.plural;
}

function codeOf({ resource, verb }: Asked, status: number, answer: Status): RefusalCode {
  const text = typeof answer.message === 'string' ? answer.message : '';
  const causes = causesOf(answer);
  const has = (reason: string) => causes.some((cause) => cause.reason === reason);
  if (has('NamespaceTerminating')) return 'KUBERNETES_TERMINATING';
  if (status === 401) return 'KUBERNETES_UNAUTHORIZED';
  if (status === 403) return text.includes('exceeded quota') ? 'KUBERNETES_QUOTA' : 'KUBERNETES_FORBIDDEN';
  if (status === 404) {
    const isNamespace = answer.details?.kind === 'namespaces' && resource.plural !== 'namespaces';
    if (isNamespace) return 'KUBERNETES_NAMESPACE_MISSING';
    return answer.details?.kind === resource.plural && verb !== 'create' ? 'KUBERNETES_CONFLICT' : 'KUBERNETES_NO_KIND';
  }
  // Of a kind whose definition is being deleted nothing can be made.
  if (status === 405) return 'KUBERNETES_NO_KIND';
  if (status === 409) return has('FieldManagerConflict') ? 'KUBERNETES_FIELD_CONFLICT' : 'KUBERNETES_CONFLICT';
  if (status === 410) return 'KUBERNETES_GONE';
  if (status === 413 || has('FieldValueTooLong') || text.includes('request is too large'))
    return 'KUBERNETES_TOO_LARGE';
  // What does not fit the kind's schema fails an apply with 500.
  if (/failed to (?:create typed patch object|convert new object)/.test(text)) return 'KUBERNETES_INVALID';
  if (status === 429 || status >= 500) return 'KUBERNETES_BUSY';
  if (status >= 400) return 'KUBERNETES_INVALID';
  return 'KUBERNETES_ANSWER';
}

type RefusalCode = Exclude<
  KubernetesErrorCode,
  'KUBERNETES_UNREACHABLE' | 'KUBERNETES_NOT_LEADER' | 'KUBERNETES_CONFIG'
>;

const WORDS: Record<RefusalCode, { message: string; advice: string; loop: 'retry' | 'wait' }> = {
  KUBERNETES_BUSY: {
    message: 'The Kubernetes API server does not answer now',
    advice: 'Nothing, if it passes; else look at the health of the API server and of etcd.',
    loop: 'retry',
  },
  KUBERNETES_UNAUTHORIZED: {
    message: "The Kubernetes API server does not accept the operator's credentials",
    advice: "Check the token or the client certificate of the operator's ServiceAccount or kubeconfig.",
    loop: 'retry',
  },
  KUBERNETES_FORBIDDEN: {
    message: 'The operator may not do this, by RBAC or an admission policy',
    advice: 'Give its ServiceAccount the verb on that resource there; docs/operations.md lists what it needs and why.',
    loop: 'retry',
  },
  KUBERNETES_CONFLICT: {
    message: 'The object was changed, made or deleted by somebody else at the same time',
    advice: 'Nothing: it is looked at again.',
    loop: 'retry',
  },
  KUBERNETES_FIELD_CONFLICT: {
    message: 'Somebody else manages fields of this object',
    advice: 'Let one of the two write the object.',
    loop: 'retry',
  },
  KUBERNETES_NAMESPACE_MISSING: {
    message: 'The namespace does not exist',
    advice: 'Create the namespace, or correct the one in the manifest.',
    loop: 'retry',
  },
  KUBERNETES_TERMINATING: {
    message: 'The namespace is being deleted',
    advice: 'Wait until it is gone and make it again, or remove the manifest.',
    loop: 'retry',
  },
  KUBERNETES_INVALID: {
    message: 'The Kubernetes API server refuses the object',
    advice: 'Correct the fields in the manifest, if it names any; else see whether an admission webhook refuses it.',
    loop: 'wait',
  },
  KUBERNETES_TOO_LARGE: {
    message: 'The object is larger than the Kubernetes API server takes',
    advice: 'Make it smaller: a Secret holds at most 1 MiB in all.',
    loop: 'wait',
  },
  KUBERNETES_QUOTA: {
    message: 'The quota of the namespace is used up',
    advice: 'Raise the ResourceQuota of the namespace, or remove what is not needed there.',
    loop: 'retry',
  },
  KUBERNETES_NO_KIND: {
    message: 'The Kubernetes API server does not know this kind of object',
    advice: "Install coffer's CustomResourceDefinitions of this version.",
    loop: 'retry',
  },
  KUBERNETES_GONE: {
    message: 'The Kubernetes API server no longer has the state that was asked for',
    advice: 'Nothing: everything is listed again.',
    loop: 'retry',
  },
  KUBERNETES_ANSWER: {
    message: 'What answers is not as the Kubernetes API answers',
    advice: 'Look at what stands between the operator and the API server.',
    loop: 'retry',
  },
};

const DETAILS: { [Code in RefusalCode]?: (causes: readonly Cause[]) => string } = {
  KUBERNETES_INVALID: (causes) => {
    const fields = new Set(causes.flatMap(({ field }) => wordOf(field) ?? []));
    return fields.size === 0 ? '' : `; fields ${[...fields].slice(0, 5).join(', ')}`;
  },
  KUBERNETES_FIELD_CONFLICT: (causes) => {
    const managers = new Set(causes.flatMap(({ message }) => managerOf(message) ?? []));
    return managers.size === 0 ? '' : `; managed by ${[...managers].slice(0, 5).join(', ')}`;
  },
};

/** Milliseconds that the server asks to wait; 0 where it does not say. */
export function retryAfter(headers: IncomingHttpHeaders): number {
  const seconds = Number(headers['retry-after']);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0;
}

function causesOf({ details }: Status): Cause[] {
  const causes = details?.causes;
  return Array.isArray(causes) ? causes.filter((cause) => typeof cause === 'object' && cause !== null) : [];
}

/** Names of fields and reasons are short; a longer text is none. */
function wordOf(text: unknown): string | undefined {
  return typeof text === 'string' && /^[-\w.[\]/"]{1,120}$/.test(text) ? text : undefined;
}

/** `conflict with "kubectl-client-side-apply" using v1` */
function managerOf(text: unknown): string | undefined {
  const [, manager] = typeof text === 'string' ? (/^conflict with "([-\w. /]{1,128})"/.exec(text) ?? []) : [];
  return manager;
}

function statusOf(body: Buffer): Status {
  return objectOf(parseJson(body.toString()));
}
