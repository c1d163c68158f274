import { CofferError } from '../../core/errors.ts';
import { KubernetesError } from './kubernetes-error.ts';

/** Of node:net, node:dns and undici: the connection did not come about, so nothing was sent. */
const UNSENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const CERTIFICATE = /^(?:ERR_TLS_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH)/;

export interface ConnectionFault {
  error: KubernetesError;
  /** The server has seen nothing of the request. */
  wasUnsent: boolean;
  /** Trying again at once may help; not where the server's certificate is not to be trusted. */
  mayPass: boolean;
}

/** What became of a connection, where it was that which failed; `undefined` for every other error. */
export function connectionFault(cause: unknown): ConnectionFault | undefined {
  // Node, undici and its parser give each of their errors a code; ours are told apart by their class.
  if (!(cause instanceof Error) || cause instanceof CofferError) return undefined;
  if (!('code' in cause) || typeof cause.code !== 'string') return undefined;
  const { code } = cause;
  const isTls = CERTIFICATE.test(code);
  const error = new KubernetesError(
    'KUBERNETES_UNREACHABLE',
    isTls
      ? `The certificate of the Kubernetes API server is not to be trusted (${code}).`
      : `The Kubernetes API server cannot be reached (${code}).`,
    {
      advice: isTls
        ? 'Check the certificate authority and the server name in the kubeconfig.'
        : 'Check that the API server runs and that the network lets the operator reach it.',
      loop: 'retry',
      cause,
    },
  );
  return { error, wasUnsent: UNSENT.has(code), mayPass: !isTls };
}
