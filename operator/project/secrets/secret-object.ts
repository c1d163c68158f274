import type { KubeObject } from '../../kubernetes/resource.ts';

export interface SecretObject extends KubeObject {
  type?: string;
  immutable?: boolean;
  /** Base64. */
  data?: Record<string, string>;
}
