/**
 * One line of plain text, without blanks at its ends; undefined where it is none, or not so long. Control and format characters (line
 * breaks, escapes, text direction) would let it look like something else where people read it.
 */
export function plainLine(
  text: unknown,
  { shortest, longest }: { shortest: number; longest: number },
): string | undefined {
  const line = typeof text === 'string' ? text.trim() : '';
  const isPlain = !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(line);
  return isPlain && line.length >= shortest && line.length <= longest ? line : undefined;
}
