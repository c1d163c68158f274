import { hash } from 'node:crypto';

/** No name that Kubernetes or the format knows is as long; a file may hold any, and the one of a manifest is in each of its aspects' names. */
const LONGEST_NAME = 600;
const LONGEST_LABEL = 300;

/** The name, or a digest in its place. */
export function nameWithin(name: string): string {
  return name.length <= LONGEST_NAME ? name : `#${hash('sha256', name, 'base64url')}`;
}

/** The beginning of what people are told. */
export function labelWithin(label: string): string {
  return label.length <= LONGEST_LABEL ? label : `${withoutItsText(label.slice(0, LONGEST_LABEL))}…`;
}

/** A part of a text that does not keep all of it in memory, as V8's parts of strings do. */
export function withoutItsText(part: string): string {
  return Buffer.from(part, 'utf16le').toString('utf16le');
}
