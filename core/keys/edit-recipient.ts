import { Bug } from '../errors.ts';
import { type CofferDocument, readDocuments } from '../format/document/document.ts';
import { field, type MappingNode, nodeAt, pairOf, type SequenceNode } from '../format/document/node.ts';
import { setNames } from '../format/edit/edit-list.ts';
import { changeRows } from '../format/edit/edit-rows.ts';
import { replaceScalar } from '../format/edit/edit-scalar.ts';
import { TextEdits } from '../format/edit/text-edits.ts';
import { publicKeyText } from './key-texts.ts';
import { type Recipient, type RecipientKey, readRecipient } from './recipient.ts';
import { keyLines } from './recipient-text.ts';

/**
 * The text of a file of the keyring that says what `wanted` says, with every other byte as it was: keys come in, their statuses and
 * seeds change, members come and go. A key that is listed stays; name, type, identity and rotation are not changed.
 *
 * @param bytes a file that `readRecipient` reads. @throws CofferError what `readRecipient` throws, of the file or of what comes of it
 */
export function editRecipient(bytes: Uint8Array, wanted: Recipient): string {
  const before = readRecipient(bytes, wanted.file);
  const { documents, text, syntax } = readDocuments(bytes, wanted.file);
  const [document] = documents;
  const list = document === undefined ? undefined : nodeAt(document.root, ['spec', 'keys']);
  if (document === undefined || list?.kind !== 'sequence') throw new Bug('a recipient without its keys');
  const edits = new TextEdits(text);
  changeMembers(edits, syntax, document, wanted);
  if (isBlock(edits, list)) changeItems(edits, list, before, wanted);
  else if (!isSame(before.keys, wanted.keys)) edits.replace(list.start, list.end, flowText(wanted.keys));
  const result = edits.result();
  if (result !== text) readRecipient(Buffer.from(result), wanted.file);
  return result;
}

function changeMembers(edits: TextEdits, syntax: 'yaml' | 'json', { root }: CofferDocument, wanted: Recipient): void {
  const members = nodeAt(root, ['spec', 'members']);
  if (members?.kind === 'sequence') setNames(edits, syntax, members, wanted.members);
}

/** Each key begins on the line of its dash, and has its fields on lines of their own. */
function isBlock(edits: TextEdits, list: SequenceNode): boolean {
  return (
    !list.flow &&
    list.items.every(
      (item) =>
        item.kind === 'mapping' &&
        !item.flow &&
        /^[ \t]*- +$/.test(edits.text.slice(edits.lines.startOf(item.start), item.start)),
    )
  );
}

/** A new key goes above the comments of the one that follows it. */
function changeItems(edits: TextEdits, list: SequenceNode, before: Recipient, wanted: Recipient): void {
  const items = new Map(before.keys.map(({ kid }, index) => [kid, list.items[index]]));
  const indent = /^[ \t]*/.exec(edits.text.slice(edits.lines.startOf(list.items[0]?.start ?? list.start)))?.[0] ?? '';
  let fresh: string[] = [];
  for (const key of wanted.keys) {
    const item = items.get(key.kid);
    if (item?.kind === 'mapping') {
      edits.insertLines(aboveComments(edits, item.start), fresh);
      fresh = [];
      changeKey(edits, item, key);
    } else {
      fresh.push(...keyLines(key, indent));
    }
  }
  edits.insertLines(edits.lines.endOf(list.end), fresh);
}

function changeKey(edits: TextEdits, item: MappingNode, { status, seeds }: RecipientKey): void {
  const written = field(item, 'status');
  if (written?.kind === 'scalar' && written.text !== status) replaceScalar(edits, written, status, false);
  const pair = pairOf(item, 'seed');
  if (pair?.value.kind !== 'mapping') return;
  const rows = new Map([...seeds].map(([member, { text }]) => [member, text]));
  const gone = pair.value.pairs.flatMap(({ key }) => (key.kind === 'scalar' && !rows.has(key.text) ? [key.text] : []));
  const changed = changeRows(edits, 'yaml', pair.value, rows, new Set(gone));
  if (changed === 'nothingLeft') edits.deleteLines(pair.key.start, pair.value.end);
}

function aboveComments(edits: TextEdits, start: number): number {
  let at = edits.lines.startOf(start);
  while (at > 0) {
    const before = edits.lines.startOf(at - 1);
    if (!/^[ \t]*#/.test(edits.text.slice(before, at))) break;
    at = before;
  }
  return at;
}

function isSame(before: readonly RecipientKey[], wanted: readonly RecipientKey[]): boolean {
  return flowText(before) === flowText(wanted);
}

/** JSON, which is YAML in flow style too. */
function flowText(keys: readonly RecipientKey[]): string {
  return JSON.stringify(
    keys.map(({ kid, status, created, publicKey, endorsement, seeds }) => ({
      id: kid,
      status,
      created,
      publicKey: publicKeyText(publicKey),
      endorsement,
      ...(seeds.size === 0 ? {} : { seed: Object.fromEntries([...seeds].map(([name, { text }]) => [name, text])) }),
    })),
  );
}
