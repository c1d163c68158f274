import { hash } from 'node:crypto';
import { beginningOf } from '../own-text.ts';

/** No name that Kubernetes or the format knows is as long; a file may hold any, and the one of a manifest is in each of its aspects' names. */
const LONGEST_NAME = 600;
const LONGEST_LABEL = 300;

/** The name, or a digest in its place. */
export function nameWithin(name: string): string {
  return name.length <= LONGEST_NAME ? name : `#${hash('sha256', name, 'base64url')}`;
}

/** The beginning of what people are told. */
export function labelWithin(label: string): string {
  return beginningOf(label, LONGEST_LABEL);
}
