/** The same text in memory of its own: for a piece of a text V8 keeps all of it. */
export function ownText(piece: string): string {
  const encoding = piece.isWellFormed() ? 'utf8' : 'utf16le';
  return Buffer.from(piece, encoding).toString(encoding);
}

/** The first so many characters, and a mark where there are more. */
export function beginningOf(text: string, longest: number): string {
  return text.length <= longest ? text : `${ownText(text.slice(0, longest))}…`;
}
