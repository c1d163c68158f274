import type { Problem } from './problem.ts';

const OID = /^[0-9a-f]{40}$/;
/** Seconds since 1970 that git takes: less than a signed 64-bit number holds. */
const LATEST = 2n ** 63n - 1n;

/** In bytes: a thousand signed tags merged at once would fit, and twenty thousand parents. */
const LONGEST = 1 << 20;

/** The lines before the empty one, taken from the front. What git-fsck demands of all of them is checked first. */
export class Header {
  readonly #lines: readonly string[];
  #next = 0;
  readonly problem: Problem | undefined;

  constructor(bytes: Buffer) {
    const separator = bytes.indexOf('\n\n');
    const end = separator < 0 ? bytes.length - 1 : separator;
    const zero = bytes.indexOf(0);
    if (zero >= 0 && zero <= end) this.problem = 'nulInHeader';
    else if (separator < 0 && bytes.at(-1) !== 0x0a) this.problem = 'unterminatedHeader';
    else if (end > LONGEST) this.problem = 'headerTooLong';
    this.#lines = this.problem === undefined ? bytes.toString('latin1', 0, end).split('\n') : [];
  }

  /** The rest of the next line, if it begins so. */
  take(name: string): string | undefined {
    if (!this.#lines[this.#next]?.startsWith(`${name} `)) return undefined;
    return this.#lines[this.#next++]?.slice(name.length + 1);
  }
}

export function isObjectId(text: string): boolean {
  return OID.test(text);
}

/** `NAME <EMAIL> SECONDS ZONE`: the first problem of it, as fsck_ident finds them. */
export function identityProblem(text: string): Problem | undefined {
  if (text.startsWith('<')) return 'missingNameBeforeEmail';
  const open = text.search(/[<>]/);
  if (open < 0) return 'missingEmail';
  if (text[open] === '>') return 'badName';
  if (text[open - 1] !== ' ') return 'missingSpaceBeforeEmail';
  const rest = text.slice(open + 1);
  const close = rest.search(/[<>]/);
  if (close < 0 || rest[close] === '<') return 'badEmail';
  return dateProblem(rest.slice(close + 1));
}

function dateProblem(text: string): Problem | undefined {
  if (!text.startsWith(' ')) return 'missingSpaceBeforeDate';
  if (/^ 0[^ ]/.test(text)) return 'zeroPaddedDate';
  const digits = /^ (\d+)/.exec(text)?.[1] ?? '';
  if (digits.length > 20 || (digits !== '' && BigInt(digits) > LATEST)) return 'badDateOverflow';
  if (digits === '' || text[digits.length + 1] !== ' ') return 'badDate';
  return /^[+-]\d{4}$/.test(text.slice(digits.length + 2)) ? undefined : 'badTimezone';
}
