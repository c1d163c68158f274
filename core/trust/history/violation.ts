import { hash } from 'node:crypto';
import type { Subject } from '../../../schemas/trust-policy.ts';

/** Which rule a change breaks. `signature` and `grant` can be mended by who endorses the commit; the others are about what it says. */
export type Rule = 'signature' | 'grant' | 'old-data-key' | 'return' | 'namespace' | 'rolled-back';

/** What an aspect was before it was changed against the rules, so that putting it back is known for what it is. */
export interface Before {
  /** A digest of its text; null: it was not there; `''`: nothing puts it back. */
  digest: string | null;
  /** Whether somebody who may had set it since the accepted commit: undoing that is no way out. */
  isSet: boolean;
}

/**
 * An aspect that stands as somebody made it who must not, or as nobody may. JSON-safe: remembered with the accepted commit while
 * it is held back.
 */
export interface Outstanding {
  /** From the root of the repository. */
  path: string;
  /** The aspect's name in its file (aspects.ts). */
  aspect: string;
  label: string;
  rule: Rule;
  subjects: readonly Subject[];
  /** Whose text stands. */
  commit: string;
  /** Absent: only who may can mend it. */
  before?: Before;
  /** Code and message of what is wrong with the signature, of rule `signature`; the namespace or data key of others. */
  detail?: string;
}

/** What an aspect becomes. Of a text only a digest where that is enough: those of a whole commit are held at once. */
export interface Become {
  digest: string | null;
  /** Of an entry of a manifest. */
  entry?: { name: string; text: string };
  /** Of a stanza: what it seals, and to which key. */
  stanza?: { dataKeyId: string; kid: string };
}

/** A change of one aspect that a commit makes itself. */
export interface Proposal {
  path: string;
  aspect: string;
  /** The aspect that says that its document is there; `''`: it is of the file. */
  document: string;
  /** The text that an entry had. */
  leaving: string | undefined;
  to: Become | undefined;
  /** The right to any of these is enough; none: a signature is. */
  subjects: readonly Subject[];
  label: string;
  /** It came with a merge, as one parent had it; there is nothing to put back. */
  isBrought?: boolean;
  /** What putting it back means, where that can be said. */
  undo?: Pick<Before, 'digest'>;
  /** Of a new manifest, whatever it says: that it is there, and what it leaves as usual. Judged with the rest of it. */
  isUsual: boolean;
}

/** Whether a text, of which this is the digest, is what the aspect was before somebody changed it who must not. */
export function isUndone(bad: Outstanding | undefined, digest: string | null): boolean {
  return bad?.before !== undefined && bad.before.digest === digest;
}

/** Of a text; null where there is none. */
export function digestOf(text: string | undefined): string | null {
  return text === undefined ? null : hash('sha256', text, 'base64url');
}
