import { load } from 'js-yaml';
import { CofferError } from '../../core/errors.ts';
import { isObject } from '../../core/json.ts';

/** What a Kubernetes Secret says, values as bytes (the caller's to wipe). */
export interface KubernetesSecret {
  name: string | undefined;
  namespace: string | undefined;
  type: string | undefined;
  entries: Map<string, Buffer>;
  /** Fields that it has and a manifest has not. */
  leftOut: string[];
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * Reads one Secret in YAML or JSON: `data` in base64, then `stringData`, which wins as it does in Kubernetes. Throws
 * KUBERNETES_SECRET, whose text repeats nothing of the input.
 *
 * The YAML parser makes strings of the values, which cannot be wiped: the one place where plaintext is text for a while.
 */
export function readKubernetesSecret(bytes: Buffer): KubernetesSecret {
  const secret = parse(bytes);
  if (!isObject(secret) || secret.kind !== 'Secret' || secret.apiVersion !== 'v1') {
    throw refuse(
      'the input is not a Kubernetes Secret (apiVersion v1, kind Secret)',
      'Give the Secret alone: kubectl get secret NAME -o yaml',
    );
  }
  const metadata = isObject(secret.metadata) ? secret.metadata : {};
  const entries = new Map<string, Buffer>();
  for (const [entry, text] of fields(secret, 'data')) entries.set(entry, decode(entry, text));
  for (const [entry, text] of fields(secret, 'stringData')) entries.set(entry, Buffer.from(text));
  return {
    name: textOf(metadata.name),
    namespace: textOf(metadata.namespace),
    type: textOf(secret.type),
    entries,
    leftOut: [
      ...['labels', 'annotations'].filter((field) => isObject(metadata[field])).map((field) => `metadata.${field}`),
      ...(secret.immutable === true ? ['immutable'] : []),
    ],
  };
}

function parse(bytes: Buffer): unknown {
  try {
    return load(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    // The parser's message shows the lines around the mistake: plaintext.
    if (!(error instanceof Error)) throw error;
    throw refuse('the input is neither YAML nor JSON of one document', 'Check what you pipe in.');
  }
}

function fields(secret: Record<string, unknown>, field: 'data' | 'stringData'): [string, string][] {
  const values = secret[field] ?? {};
  if (!isObject(values)) throw refuse(`${field} is not a mapping`, 'Check what you pipe in.');
  return Object.entries(values).map(([entry, value]) => {
    if (typeof value === 'string') return [entry, value];
    if (value === null) return [entry, ''];
    throw new CofferError('KUBERNETES_SECRET', `the value of ${entry} in ${field} is not a string`, {
      advice: 'Put it in quotes, as Kubernetes asks as well.',
      data: { entry },
    });
  });
}

function decode(entry: string, text: string): Buffer {
  const compact = text.replace(/\s+/g, '');
  if (BASE64.test(compact)) return Buffer.from(compact, 'base64');
  throw new CofferError('KUBERNETES_SECRET', `the value of ${entry} in data is not base64`, {
    advice: 'Plain text belongs under stringData.',
    data: { entry },
  });
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function refuse(message: string, advice: string): CofferError {
  return new CofferError('KUBERNETES_SECRET', message, { advice });
}
