import { CofferError } from '../../core/errors.ts';
import type { Selection } from '../../core/exposure/exposure.ts';
import type { Records } from '../../core/exposure/records.ts';
import type { Repository } from '../../core/git/repository.ts';
import { writtenBy } from './writers.ts';

/** The flags that say whose exposure is asked for. */
export interface Wanted {
  key?: string[] | undefined;
  recipient?: string | undefined;
  signer?: string | undefined;
  since?: string | undefined;
}

/** What nothing in the history names is a mistake, not an answer of none. Throws EXPOSURE_KEY, EXPOSURE_RECIPIENT, EXPOSURE_WRITER. */
export function selectionFrom(
  { key, recipient, signer, since }: Wanted,
  records: Records,
  repository: Repository,
): Selection {
  if (key !== undefined) return { kind: 'keys', kids: new Set(key.map((text) => keyNamed(text, records))) };
  if (recipient !== undefined) return recipientNamed(recipient, records);
  if (signer !== undefined) return { kind: 'writer', isWriter: writtenBy(signer, records, repository) };
  return since === undefined ? { kind: 'revoked' } : { kind: 'all' };
}

function keyNamed(text: string, records: Records): string {
  const known = new Set<string>();
  for (const fact of records.facts) {
    if (fact[0] === 'key') known.add(fact[3]);
    if (fact[0] === 'stanza') known.add(fact[2]);
    if (fact[0] === 'seed') known.add(fact[4]);
  }
  const found = [...known].filter((kid) => /^[0-9a-f]{4,32}$/.test(text) && kid.startsWith(text));
  if (found.length === 1 && found[0] !== undefined) return found[0];
  const message =
    found.length === 0
      ? `no commit of this clone names a key ${JSON.stringify(text)}`
      : `${found.length} keys begin with ${text}`;
  throw new CofferError('EXPOSURE_KEY', message, {
    advice:
      'Give all 32 digits of the key id, as `coffer recipients list` shows them, and look in the repository where it was used.',
    exit: 2,
  });
}

function recipientNamed(name: string, { facts }: Records): Selection {
  const isNamed = facts.some(
    (fact) =>
      (fact[0] === 'key' && fact[1] === name) ||
      (fact[0] === 'stanza' && fact[3] === name) ||
      (fact[0] === 'seed' && fact[3] === name),
  );
  if (isNamed) return { kind: 'recipient', name };
  throw new CofferError('EXPOSURE_RECIPIENT', `no commit of this clone has a recipient ${JSON.stringify(name)}`, {
    advice: 'Take the name as the keyring has or had it: `git log --all --format= --name-only -- .coffer/recipients`.',
    exit: 2,
  });
}
