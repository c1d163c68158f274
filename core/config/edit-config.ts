import { Bug, CofferError } from '../errors.ts';
import { readDocuments } from '../format/document/document.ts';
import { nodeAt } from '../format/document/node.ts';
import { setNames } from '../format/edit/edit-list.ts';
import { TextEdits } from '../format/edit/text-edits.ts';
import { configFrom } from './repository.ts';

/**
 * The configuration's new text, with other recipients in its rules and among the required ones; every other byte stays.
 *
 * @param change from the names of one list to those that it should hold
 * @throws CofferError CONFIG_RULE_EMPTY where a list would name nobody, and what `configFrom` throws
 */
export function changeConfigRecipients(
  bytes: Uint8Array,
  file: string,
  change: (names: readonly string[]) => readonly string[],
): string {
  const { rules, requiredRecipients } = configFrom(bytes, file);
  const { documents, syntax, text } = readDocuments(bytes, file);
  const [document] = documents;
  if (document === undefined) throw new Bug('a configuration without a document');
  const edits = new TextEdits(text);
  const set = (path: (string | number)[], before: readonly string[]): void => {
    const names = change(before);
    if (names.join() === before.join()) return;
    const list = nodeAt(document.root, path);
    if (list?.kind !== 'sequence') throw new Bug('recipients that are no list');
    if (names.length === 0) throw emptied(file, document.position(path).line);
    setNames(edits, syntax, list, names);
  };
  for (const [index, rule] of rules.entries()) set(['spec', 'rules', index, 'recipients'], rule.recipients);
  if (requiredRecipients.length > 0) set(['spec', 'requiredRecipients'], requiredRecipients);
  const result = edits.result();
  configFrom(Buffer.from(result), file);
  return result;
}

function emptied(file: string, line: number): CofferError {
  return new CofferError('CONFIG_RULE_EMPTY', 'a list of recipients would be empty', {
    advice: 'Remove the rule or the field that it belongs to, or add another recipient to it first.',
    data: { file, line },
  });
}
