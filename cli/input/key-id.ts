import { CofferError } from '../../core/errors.ts';

/** Fewer digits name a key by chance. */
const KEY_ID_PREFIX = /^[0-9a-f]{4,32}$/;

/**
 * The one key id that is `text`, or begins with it: at least four digits.
 *
 * @param known in any order, and more than once @throws CofferError KEY_ID_UNKNOWN, KEY_ID_AMBIGUOUS
 */
export function keyIdNamed(text: string, known: Iterable<string>): string {
  const found = KEY_ID_PREFIX.test(text) ? [...new Set(known)].filter((kid) => kid.startsWith(text)) : [];
  const [kid] = found;
  if (kid === undefined) {
    throw new CofferError('KEY_ID_UNKNOWN', `No key here has an id that begins with ${JSON.stringify(text)}.`, {
      advice:
        'Take it from `coffer recipients list`, in the repository where the key was used: four digits or more, 32 are all.',
      exit: 2,
    });
  }
  if (found.length === 1) return kid;
  throw new CofferError('KEY_ID_AMBIGUOUS', `${found.length} keys begin with ${text}.`, {
    advice: 'Give more of its 32 digits; `coffer recipients list` shows them.',
    exit: 2,
  });
}
