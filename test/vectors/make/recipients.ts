import { renderRecipient } from '../../../core/keys/recipient-text.ts';
import type { Cast } from './cast.ts';

/** Files of the keyring, whole. Each is judged by itself. */
export function recipients({ production, staging, team }: Cast): object {
  const file = production.recipient.file;
  const good = renderRecipient(production.recipient);
  const group = renderRecipient(team.recipient);
  const theirs = renderRecipient(staging.recipient);
  const line = (text: string, field: string) => new RegExp(`^.*${field}: .*$`, 'm').exec(text)?.[0] ?? '';
  const swap = (field: string) => good.replace(line(good, field), line(theirs, field));
  const oneKey = good.slice(good.indexOf('    - id:'));
  const otherKey = theirs.slice(theirs.indexOf('    - id:'));
  const rows: [why: string, code: string, text: string, file?: string][] = [
    ['the identity of another', 'RECIPIENT_ENDORSEMENT', swap('identity')],
    ['the endorsement of another', 'RECIPIENT_ENDORSEMENT', swap('endorsement')],
    ['another time', 'RECIPIENT_ENDORSEMENT', good.replace('09:00:00Z', '09:00:01Z')],
    ['the public key of another', 'RECIPIENT_KEY_ID', swap('publicKey')],
    ['the id of another', 'RECIPIENT_KEY_ID', swap('id')],
    ['a key of another identity', 'RECIPIENT_ENDORSEMENT', `${good}${otherKey}`],
    ['one key twice', 'RECIPIENT_KEY_TWICE', `${good}${oneKey.replace('active', 'retired')}`],
    ['an unknown status', 'DOCUMENT_FIELD', good.replace('status: active', 'status: expired')],
    ['an unknown type', 'DOCUMENT_FIELD', good.replace('type: cluster', 'type: machine')],
    ['a time that is none', 'RECIPIENT_CREATED', good.replace('2026-11-21T', '2026-02-31T')],
    ['a file of another name', 'RECIPIENT_FILE_NAME', good, '.coffer/recipients/staging.yaml'],
    ['a file that is not .yaml', 'RECIPIENT_FILE_NAME', good, '.coffer/recipients/production.yml'],
    ['two recipients in one file', 'RECIPIENT_FILE', `${good}---\n${theirs}`],
    ['members of what is no group', 'RECIPIENT_NOT_GROUP', good.replace('spec:', 'spec:\n  members: [alice]')],
    [
      'a group without members',
      'RECIPIENT_GROUP',
      group.replace(`${line(group, 'members')}\n`, ''),
      team.recipient.file,
    ],
    ['a seed for who is no member', 'RECIPIENT_GROUP', group.replace(', alice]', ']'), team.recipient.file],
    ['a group in itself', 'RECIPIENT_GROUP', group.replace(', alice]', ', alice, team]'), team.recipient.file],
    ['a group key without seeds', 'RECIPIENT_GROUP', group.slice(0, group.indexOf('      seed:')), team.recipient.file],
  ];
  return {
    mustRead: [production, staging, team].map(({ recipient, sealing }) => ({
      file: recipient.file,
      text: renderRecipient(recipient),
      activeKid: sealing.kid,
    })),
    mustRefuse: rows.map(([why, code, text, name = file]) => ({ why, code, file: name, text })),
  };
}
