/** Stands for a place in a text where an entry will be inserted. */
export const HOLE = '\ufffc';

export type SecretLook = 'a password in a URL' | 'a private key' | 'an access token' | 'a password' | 'random text';

/** Prefixes that services give to their tokens so that they are found before they leak. */
const TOKENS = [
  /\bgh[pousr]_[A-Za-z0-9]{30,}/,
  /\bgithub_pat_[A-Za-z0-9_]{40,}/,
  /\bglpat-[A-Za-z0-9_-]{20,}/,
  /\bxox[abeoprs]-[A-Za-z0-9-]{10,}/,
  /\b[sr]k_live_[A-Za-z0-9]{16,}/,
  /\bnpm_[A-Za-z0-9]{30,}/,
  /\bhv[sb]\.[A-Za-z0-9_-]{20,}/,
  /\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}/,
  /\bAIza[A-Za-z0-9_-]{30,}/,
  /\bsk-[A-Za-z0-9_-]{32,}/,
  /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/,
];

const PRIVATE_KEY = /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----\s*[A-Za-z0-9+/]/;
const URL_PASSWORD = /[a-z][a-z0-9+.-]*:\/\/[^\s/?#@:]*:([^\s/?#@]+)@/gi;
const ASSIGNMENT =
  /(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|credentials?)["']?\s*[:=]\s*(?:"([^"\n]*)"|'([^'\n]*)'|([^\s,;&"'}\]]+))/gi;
const RUN = /[A-Za-z0-9+/_-]{24,}={0,2}/g;

/** Words that stand where a password could, and are none. */
const NO_SECRET = /^(?:true|false|null|none|nil|yes|no|on|off|required|optional|disabled|enabled|\*+|x+|\.+|<.*>)$/i;

/**
 * What in a text looks like a secret that somebody typed in place of an entry. `text` is the fixed text of a template
 * with HOLE where entries go. A password of which any part is inserted is none: what stands beside it is a format.
 */
export function secretLook(text: string): { look: SecretLook; index: number } | undefined {
  const key = PRIVATE_KEY.exec(text);
  if (key !== null) return { look: 'a private key', index: key.index };
  for (const token of TOKENS) {
    const found = token.exec(text);
    if (found !== null) return { look: 'an access token', index: found.index };
  }
  for (const url of text.matchAll(URL_PASSWORD)) {
    if (isTyped(url[1])) return { look: 'a password in a URL', index: url.index };
  }
  for (const assignment of text.matchAll(ASSIGNMENT)) {
    const value = assignment[1] ?? assignment[2] ?? assignment[3];
    if (isTyped(value) && value.length >= 4) return { look: 'a password', index: assignment.index };
  }
  for (const run of text.matchAll(RUN)) {
    if (looksRandom(run[0])) return { look: 'random text', index: run.index };
  }
  return undefined;
}

/** Not inserted, not left to a shell (`$PASSWORD`, `%PASSWORD%`), not a path or a placeholder. */
function isTyped(value: string | undefined): value is string {
  if (value === undefined || value === '' || value.includes(HOLE)) return false;
  return !NO_SECRET.test(value) && !/^(?:[$/]|%\w+%$|[a-z]+:\/\/)/i.test(value);
}

/** Letters of both cases and digits, evenly enough: words, versions and paths are not. */
function looksRandom(run: string): boolean {
  if (!/[a-z]/.test(run) || !/[A-Z]/.test(run) || !/[0-9]/.test(run)) return false;
  return bitsPerCharacter(run) >= 4;
}

/** Shannon entropy of the characters' frequencies. */
function bitsPerCharacter(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}
