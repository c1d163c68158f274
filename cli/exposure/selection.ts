import { CofferError } from '../../core/errors.ts';
import type { Selection } from '../../core/exposure/exposure.ts';
import { ownerIn } from '../../core/exposure/facts.ts';
import type { HistoryFacts } from '../../core/exposure/history-facts.ts';
import type { Repository } from '../../core/git/repository.ts';
import { keyIdNamed } from '../input/key-id.ts';
import { writtenBy } from './writers.ts';

/** The flags that say whose exposure is asked for. */
export interface Wanted {
  key?: string[] | undefined;
  recipient?: string | undefined;
  signer?: string | undefined;
  since?: string | undefined;
}

/** What nothing in the history names is a mistake, not an answer of none. Throws KEY_ID_*, EXPOSURE_RECIPIENT, EXPOSURE_WRITER. */
export function selectionFrom(
  { key, recipient, signer, since }: Wanted,
  records: HistoryFacts,
  repository: Repository,
): Selection {
  if (key !== undefined) return { kind: 'keys', kids: new Set(key.map((text) => keyIdNamed(text, kidsOf(records)))) };
  if (recipient !== undefined) return recipientNamed(recipient, records);
  if (signer !== undefined) return { kind: 'writer', isWriter: writtenBy(signer, records, repository) };
  return since === undefined ? { kind: 'revoked' } : { kind: 'all' };
}

function kidsOf({ facts }: HistoryFacts): string[] {
  return facts.flatMap((fact) => ownerIn(fact)?.kid ?? []);
}

function recipientNamed(name: string, { facts }: HistoryFacts): Selection {
  const isNamed = facts.some((fact) => ownerIn(fact)?.recipient === name);
  if (isNamed) return { kind: 'recipient', name };
  throw new CofferError('EXPOSURE_RECIPIENT', `No commit of this clone has a recipient ${JSON.stringify(name)}.`, {
    advice: 'Take the name as the keyring has or had it: `git log --all --format= --name-only -- .coffer/recipients`.',
    exit: 2,
  });
}
