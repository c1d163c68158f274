/**
 * A coffer command line to be copied from an advice. File names come from whoever wrote the repository: what a shell
 * would take for more than a word is quoted.
 */
export function command(...words: readonly string[]): string {
  return `\`${['coffer', ...words].map(shellWord).join(' ')}\``;
}

/** A word as a POSIX shell takes it. */
export function shellWord(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
