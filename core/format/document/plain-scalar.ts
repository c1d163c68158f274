/**
 * What a plain YAML scalar means to readers of YAML 1.1 and of the 1.2 core schema. A text that either of them reads
 * as something else than a string must be quoted where a string is expected (docs/format.md, "Files and strings").
 */

/** A plain scalar whose meaning depends on who reads it, or that is no JSON value (a date, an infinity, a merge key). */
export const AMBIGUOUS: unique symbol = Symbol('ambiguous plain scalar');

const WORDS = new Set(
  [
    ['', '~', '=', '<<', 'null', 'Null', 'NULL', 'true', 'True', 'TRUE', 'false', 'False', 'FALSE'],
    ['y', 'Y', 'yes', 'Yes', 'YES', 'n', 'N', 'no', 'No', 'NO', 'on', 'On', 'ON', 'off', 'Off', 'OFF'],
  ].flat(),
);

/** Only these first characters begin a number, a date, `.inf` or `.nan`. */
const NUMBER_START = /^[-+.0-9]/;
const NUMBERS = [
  /^[-+]?[0-9][0-9_]*$/, // decimal, and octal as 1.1 writes it
  /^[-+]?0[bB][01_]+$/,
  /^[-+]?0[oO][0-7_]+$/,
  /^[-+]?0[xX][0-9a-fA-F_]+$/,
  /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/, // base 60
  /^[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9_]+)(?:[eE][-+]?[0-9_]+)?$/,
  /^[-+]?\.(?:inf|Inf|INF)$/,
  /^[-+]?\.(?:nan|NaN|NAN)$/,
  /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/,
  /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::?[0-9]{2})?))?$/,
];

/** Whether a plain scalar of this text is read as something else than a string by YAML 1.1 or 1.2. */
export function isAmbiguousPlain(text: string): boolean {
  if (WORDS.has(text)) return true;
  return NUMBER_START.test(text) && NUMBERS.some((pattern) => pattern.test(text));
}

/** The value of a plain scalar: a JSON value where all readers agree on it, else AMBIGUOUS. */
export function plainValue(text: string): string | number | boolean | null | typeof AMBIGUOUS {
  if (!isAmbiguousPlain(text)) return text;
  if (text === 'true' || text === 'false') return text === 'true';
  if (text === 'null' || text === '~') return null;
  if (/^-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]+)?$/.test(text)) return Number(text);
  return AMBIGUOUS;
}
