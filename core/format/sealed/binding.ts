/** What a ciphertext is bound to (docs/format.md, "A manifest", scope). */
export interface Binding {
  scope: 'strict' | 'namespace' | 'cluster';
  namespace: string;
  name: string;
}

/** Scope, namespace and name as they enter a `PAE`: what the scope does not bind is empty. */
export function boundParts({ scope, namespace, name }: Binding): [scope: string, namespace: string, name: string] {
  switch (scope) {
    case 'strict':
      return [scope, namespace, name];
    case 'namespace':
      return [scope, namespace, ''];
    case 'cluster':
      return [scope, '', ''];
  }
}
