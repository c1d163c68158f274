import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DirectoryStore } from '../../core/audit/directory-store.ts';
import { type AuditLine, fieldsOf } from '../../core/audit/record.ts';
import { recordsIn } from '../../core/audit/records-in.ts';

/** As the command line reads them. */
export function readRecords(directory: string): AsyncGenerator<AuditLine> {
  return recordsIn(new DirectoryStore(directory));
}

/** All records of a log's directory, in order: those in full tiles, then those of the journal that are not. */
export function auditLines(directory: string): AuditLine[] {
  // First: an operator that runs may put what it holds into tiles meanwhile.
  const journal = join(directory, 'journal');
  const held = existsSync(journal)
    ? parse(readFileSync(journal, 'utf8').split('\n').slice(0, -1).map(withoutMark))
    : [];
  const tiles = globSync('tile/entries/**/*', { cwd: directory }).filter(
    (path) => /\/\d{3}$/.test(path) && !path.includes('.p/'),
  );
  const tiled = tiles.sort().flatMap((path) => entriesOf(readFileSync(join(directory, path))));
  const last = tiled.at(-1)?.sequence ?? 0;
  return [...tiled, ...held.filter(({ sequence }) => sequence > last)];
}

/** What vouches for it stands after a tab. */
function withoutMark(line: string): string {
  return line.replace(/\t.*$/, '');
}

/** C2SP tlog-tiles, "Log entries": lengths of two bytes, big-endian. */
function entriesOf(bundle: Buffer): AuditLine[] {
  const texts: string[] = [];
  for (let at = 0; at < bundle.length; ) {
    const end = at + 2 + bundle.readUInt16BE(at);
    texts.push(bundle.toString('utf8', at + 2, end));
    at = end;
  }
  return parse(texts);
}

function parse(texts: readonly string[]): AuditLine[] {
  const lines: AuditLine[] = texts.map((text) => JSON.parse(text));
  for (const line of lines) mustBeKnown(line);
  return lines;
}

/** So that docs/audit.md is right of whatever an operator wrote in any test. */
function mustBeKnown(line: AuditLine): void {
  const known = fieldsOf(line.event);
  for (const field of Object.keys(line)) assert.ok(known.has(field), `${line.event} has the field ${field}`);
}
