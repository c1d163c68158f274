import { beginningOf } from '../own-text.ts';

/** Names of people and files are whatever somebody committed; longer ones are cut. */
const LONGEST = 200;

/** Control characters, and those that turn the direction of text or are not seen. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** A text from a repository, fit for terminals, logs and status: nothing in it moves the cursor or hides a part. */
export function printable(text: string): string {
  return beginningOf(text, LONGEST).replace(UNSEEN, '\ufffd');
}
