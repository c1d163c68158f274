import { join } from 'node:path';
import { BUNDLE_LIMIT, entriesIn } from './bundle.ts';
import { lineOf } from './canonical.ts';
import { DirectoryStore } from './directory-store.ts';
import type { AuditLine } from './record.ts';
import { TILE_WIDTH, tilePath } from './tree/tile.ts';
import { damaged } from './writer/errors.ts';
import { JOURNAL } from './writer/journal.ts';
import { readJournal } from './writer/read-journal.ts';

/**
 * Every record of a log's directory, in order, while another process may be writing: first those of full tiles that the journal
 * has no more, then the journal's. Those that were forgotten are left out. What is signed is not asked: `verifyLog` does.
 * Throws CofferError `AUDIT_DAMAGED`.
 */
export async function* readRecords(directory: string): AsyncGenerator<AuditLine> {
  // Opened first: when the journal is cut while the tiles are read, this is still the one that goes on from them.
  const journal = readJournal(join(directory, JOURNAL));
  let next = await journal.next();
  const before = next.done === true ? 0 : next.value.line.sequence - 1;
  yield* tiled(directory, before);
  for (; next.done !== true; next = await journal.next()) yield next.value.line;
}

async function* tiled(directory: string, before: number): AsyncGenerator<AuditLine> {
  const store = new DirectoryStore(directory);
  let hasBegun = false;
  for (let index = 0; index < Math.floor(before / TILE_WIDTH); index++) {
    const path = tilePath({ level: 'entries', index, width: TILE_WIDTH });
    const bundle = await store.read(path, BUNDLE_LIMIT);
    if (bundle === undefined && hasBegun) throw damaged(directory, `it has no ${path}`);
    if (bundle === undefined) continue;
    hasBegun = true;
    yield* linesIn(bundle, index * TILE_WIDTH, () => damaged(directory, `${path} does not hold its records`));
  }
}

/** Throws what `wrong` makes unless the bundle holds 256 records that count on from `before`. */
function* linesIn(bundle: Buffer, before: number, wrong: () => Error): Generator<AuditLine> {
  const lines = entriesIn(bundle)?.map(lineOf) ?? [];
  if (lines.length !== TILE_WIDTH) throw wrong();
  for (const [at, line] of lines.entries()) {
    if (line?.sequence !== before + at + 1) throw wrong();
    yield line;
  }
}
