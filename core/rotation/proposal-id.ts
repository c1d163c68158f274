import { blake2b } from '../crypto/blake2b.ts';

/** Values of labels in Kubernetes hold no more. */
const LONGEST = 63;

/** The id of a proposal, safe as a file name and as a label. `name`: of a recipient, at most 63 characters. Needs `sodiumReady`. */
export function proposalId(kind: 'rewrap' | 'values', name: string): string {
  const id = `${kind}-${name}`;
  if (id.length <= LONGEST) return id;
  return `${id.slice(0, LONGEST - 13)}-${blake2b(6, Buffer.from(name)).toString('hex')}`;
}
