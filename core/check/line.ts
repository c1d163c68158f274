/** The line, from 1, of an offset in a text or in bytes. */
export function lineAt(text: { indexOf(value: string, from: number): number }, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n', 0); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}
