/** RFC 8785 escapes a tab within a text: none is in a record. */
const TAB = 0x09;

/** Beside its entry, in bytes: a tab and HMAC-SHA256 as base64url. */
export const MARK_BYTES = 44;

/** A line of the journal, without its newline. */
export interface JournalText {
  /** The record. */
  entry: Buffer;
  /** What stands after it: absent where nothing vouches for it, empty where a later line of its group does. */
  mark?: string;
}

export function journalTextOf(line: Buffer): JournalText {
  const tab = line.indexOf(TAB);
  return tab < 0 ? { entry: line } : { entry: line.subarray(0, tab), mark: line.toString('latin1', tab + 1) };
}
