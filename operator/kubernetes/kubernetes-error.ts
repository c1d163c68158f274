import { CofferError, type ErrorData, type ErrorOptions } from '../../core/errors.ts';

export type KubernetesErrorCode =
  /** No connection, a time limit, a broken answer: nobody knows whether a write was done. */
  | 'KUBERNETES_UNREACHABLE'
  /** 429 and 5xx. */
  | 'KUBERNETES_BUSY'
  | 'KUBERNETES_UNAUTHORIZED'
  | 'KUBERNETES_FORBIDDEN'
  /** 409: something else was there before, or a precondition no longer holds. */
  | 'KUBERNETES_CONFLICT'
  /** 409 of an apply without force. */
  | 'KUBERNETES_FIELD_CONFLICT'
  | 'KUBERNETES_NAMESPACE_MISSING'
  | 'KUBERNETES_TERMINATING'
  | 'KUBERNETES_INVALID'
  | 'KUBERNETES_TOO_LARGE'
  | 'KUBERNETES_QUOTA'
  /** The kind is not served: its CustomResourceDefinition is missing. */
  | 'KUBERNETES_NO_KIND'
  | 'KUBERNETES_GONE'
  | 'KUBERNETES_NOT_LEADER'
  | 'KUBERNETES_CONFIG'
  | 'KUBERNETES_ANSWER';

export interface KubernetesErrorOptions extends ErrorOptions {
  status?: number | undefined;
  reason?: string | undefined;
  retryAfter?: number | undefined;
}

/** What the API server, or the way to it, refused. Its message never quotes the server's, which may echo values. */
export class KubernetesError extends CofferError {
  declare readonly code: KubernetesErrorCode;
  /** HTTP; undefined where there was no answer. */
  readonly status: number | undefined;
  /** Of the server's Status object, as `AlreadyExists`. */
  readonly reason: string | undefined;
  /** Milliseconds that the server asks to wait at least. */
  readonly retryAfter: number;

  constructor(code: KubernetesErrorCode, message: string, options: KubernetesErrorOptions) {
    super(code, message, options);
    this.status = options.status;
    this.reason = options.reason;
    this.retryAfter = options.retryAfter ?? 0;
  }

  override at(data: ErrorData): KubernetesError {
    const { code, message, advice, exit, loop, cause, status, reason, retryAfter } = this;
    return new KubernetesError(code, message, {
      advice,
      data: { ...data, ...this.data },
      exit,
      loop,
      cause,
      status,
      reason,
      retryAfter,
    });
  }
}

/** Something between the operator and the API server answers in its place, or an answer was cut. */
export function noAnswer(): KubernetesError {
  return new KubernetesError('KUBERNETES_ANSWER', 'What answers is not as the Kubernetes API answers.', {
    advice: 'Look at what stands between the operator and the API server.',
    loop: 'retry',
  });
}
