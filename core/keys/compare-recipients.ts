import { type Difference, detailedDifferences, differences } from '../differences.ts';
import { identityText } from './key-texts.ts';
import { hasGoneBack, type KeyStatus, type Recipient, type RecipientKey } from './recipient.ts';

/** What a reviewer wants to know of a change of the keyring. */
export interface RecipientChange extends Difference {
  recipient: string;
  what: 'recipient' | 'type' | 'identity' | 'key' | 'created' | 'member' | 'seed' | 'rotation';
  /** Why a reviewer should stop here: what this change lets somebody do. */
  warning?: string;
}

type Change = Omit<RecipientChange, 'recipient'>;

/**
 * What changed from one version of a recipient to another; absent: there is none. Of one that is new everything is
 * listed, of one that is gone only itself. Both are of one name: the keyring's files are named after their recipients.
 */
export function compareRecipients(before: Recipient | undefined, after: Recipient | undefined): RecipientChange[] {
  const recipient = (after ?? before)?.name ?? '';
  return changesOf(before, after).map((change) => ({ recipient, ...change }));
}

function changesOf(before: Recipient | undefined, after: Recipient | undefined): Change[] {
  if (after === undefined) return before === undefined ? [] : [{ what: 'recipient', subject: '', change: 'removed' }];
  return [
    ...(before === undefined ? [{ what: 'recipient', subject: '', change: 'added' } as const] : []),
    ...fieldChanges('type', before?.type, after.type),
    ...identityChanges(before, after),
    ...memberChanges(before, after),
    ...keyChanges(before, after),
    ...fieldChanges('rotation', before?.rotationEvery, after.rotationEvery),
  ];
}

function fieldChanges(what: Change['what'], before: string | undefined, after: string | undefined): Change[] {
  const field = (text: string | undefined) => new Map(text === undefined ? [] : [['', text]]);
  return detailedDifferences(field(before), field(after)).map((difference) => ({ what, ...difference }));
}

/** Pins refuse the new one; whoever has no pin yet would take it. */
function identityChanges(before: Recipient | undefined, after: Recipient): Change[] {
  const changes = fieldChanges('identity', before && identityText(before.identity), identityText(after.identity));
  const warning =
    'whoever made this identity decides from now on which keys are sealed to: accept it only if its owner, asked in another way, reads out the same';
  return changes.map((change) => (change.change === 'changed' ? { ...change, warning } : change));
}

function memberChanges(before: Recipient | undefined, after: Recipient): Change[] {
  const members = (names: readonly string[] = []) => new Map(names.map((name) => [name, true]));
  const changes = differences(members(before?.members), members(after.members));
  return changes.map((difference) => ({ what: 'member', ...difference }));
}

function keyChanges(before: Recipient | undefined, after: Recipient): Change[] {
  const statuses = (keys: readonly RecipientKey[] = []) => new Map(keys.map(({ kid, status }) => [kid, status]));
  const [old, now] = [statuses(before?.keys), statuses(after.keys)];
  const changes = detailedDifferences(old, now).map((difference): Change => {
    const warning = keyWarning(old.get(difference.subject), now.get(difference.subject));
    return { what: 'key', ...difference, ...(warning === undefined ? {} : { warning }) };
  });
  return [...changes, ...keptKeyChanges(before, after)];
}

function keyWarning(before: KeyStatus | undefined, after: KeyStatus | undefined): string | undefined {
  if (before === undefined) return undefined;
  if (after === undefined) return 'stanzas for it, in the history too, can then not be told from forged ones';
  if (!hasGoneBack(before, after)) return undefined;
  return 'a status never goes back: who stole this key could have everybody seal to it again';
}

/** What else the file says of a key that both versions have. A new key's seeds go to the members, who are listed. */
function keptKeyChanges(before: Recipient | undefined, after: Recipient): Change[] {
  return after.keys.flatMap((key) => {
    const old = before?.keys.find(({ kid }) => kid === key.kid);
    if (old === undefined) return [];
    const created = detailedDifferences(new Map([[key.kid, old.created]]), new Map([[key.kid, key.created]]));
    const isKept = ({ subject }: Difference) =>
      after.members.includes(subject) && before?.members.includes(subject) === true;
    const seeds = detailedDifferences(seedKeys(old), seedKeys(key), (kid) => `key ${kid.slice(0, 8)}…`).filter(isKept);
    return [
      ...created.map((difference): Change => ({ what: 'created', ...difference })),
      ...seeds.map((difference): Change => ({ what: 'seed', ...difference })),
    ];
  });
}

function seedKeys({ seeds }: RecipientKey): Map<string, string> {
  return new Map([...seeds].map(([member, { kid }]) => [member, kid]));
}
