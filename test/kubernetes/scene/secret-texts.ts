import type { KubeObject } from '../../../operator/kubernetes/resource.ts';

/** A Secret as the API server gives it: values in base64. */
export interface SecretObject extends KubeObject {
  type?: string;
  immutable?: boolean;
  data?: Record<string, string>;
}

/** Its values as text, sorted by name. */
export function textsOf({ data = {} }: SecretObject): Record<string, string> {
  const texts = Object.entries(data).map(([name, value]) => [name, Buffer.from(value, 'base64').toString()]);
  return sorted(Object.fromEntries(texts));
}

/** Whether it has just these entries. */
export function holds(secret: SecretObject | undefined, entries: Record<string, string>): boolean {
  return secret !== undefined && JSON.stringify(textsOf(secret)) === JSON.stringify(sorted(entries));
}

function sorted(entries: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1)));
}
