/** Refusals of one file: why, coffer's code for it, and the file's text. */
export type Rows = [why: string, code: string, text: string][];

/** The sealed text of an entry of a manifest in the writer's layout. */
export function sealedOf(text: string, entry: string): string {
  return new RegExp(` {4}${entry}: (CF\\[.*\\])\n`).exec(text)?.[1] ?? '';
}
