import assert from 'node:assert/strict';
import { appendFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { Journal } from './journal.ts';

type Row = { key: string; value: number };

async function open(
  path: string,
  known = new Map<string, number>(),
): Promise<{ journal: Journal<Row>; known: Map<string, number> }> {
  const journal = await Journal.open<Row>(path, {
    replay: ({ key, value }) => known.set(key, value),
    live: () => Array.from(known, ([key, value]) => ({ key, value })),
  });
  return { journal, known };
}

async function read(path: string): Promise<Map<string, number>> {
  const { journal, known } = await open(path);
  await journal.close();
  return known;
}

async function temporary(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'coffer-journal-'));
  t.after(() => rm(folder, { recursive: true }));
  return join(folder, 'state', 'journal.jsonl');
}

describe('a journal', () => {
  test('gives back what was appended, the newest last', async (t) => {
    const path = await temporary(t);
    const { journal } = await open(path);
    await journal.append([{ key: '__proto__', value: 1 }]);
    await journal.append([
      { key: 'b', value: 2 },
      { key: '__proto__', value: 3 },
    ]);
    await journal.close();
    assert.deepEqual(
      [...(await read(path))],
      [
        ['__proto__', 3],
        ['b', 2],
      ],
    );
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  });

  test('cuts off a line that was torn by a kill, and goes on behind what was whole', async (t) => {
    const path = await temporary(t);
    const { journal } = await open(path);
    await journal.append([{ key: 'a', value: 1 }]);
    await journal.close();
    await appendFile(path, '{"key":"b","val');
    const again = await open(path);
    await again.journal.append([{ key: 'c', value: 3 }]);
    await again.journal.close();
    assert.deepEqual(
      [...(await read(path))],
      [
        ['a', 1],
        ['c', 3],
      ],
    );
  });

  test('refuses a file that was damaged otherwise, with the line', async (t) => {
    const path = await temporary(t);
    const { journal } = await open(path);
    await journal.append([{ key: 'a', value: 1 }]);
    await journal.close();
    await appendFile(path, 'oops\n');
    await assert.rejects(open(path), { code: 'STATE_DAMAGED', data: { file: path, line: 2 } });
  });

  test('is written anew when it has grown, and holds the same', async (t) => {
    const path = await temporary(t);
    const { journal, known } = await open(path);
    for (let i = 0; i < 6; i++) {
      const rows = Array.from({ length: 1000 }, (_, n) => ({ key: `${n % 10}`, value: i * 1000 + n }));
      await journal.append(rows);
      for (const { key, value } of rows) known.set(key, value);
      await journal.compact(known.size);
    }
    await journal.append([{ key: 'last', value: -1 }]);
    await journal.close();
    assert.ok((await readFile(path, 'utf8')).split('\n').length < 2000);
    assert.deepEqual(await read(path), known.set('last', -1));
  });

  test('keeps what was appended, and goes on, where it cannot be written anew', async (t) => {
    const path = await temporary(t);
    const { journal } = await open(path);
    await mkdir(`${path}.new`);
    await journal.append(Array.from({ length: 5000 }, (_, value) => ({ key: 'a', value })));
    await journal.compact(1);
    await journal.append([{ key: 'b', value: 1 }]);
    await journal.close();
    assert.deepEqual(
      [...(await read(path))],
      [
        ['a', 4999],
        ['b', 1],
      ],
    );
  });

  test('says what is wrong with a state directory that cannot be written', async (t) => {
    const path = await temporary(t);
    await writeFile(join(path, '..', '..', 'state'), 'a file');
    await assert.rejects(open(path), { code: 'STATE_UNWRITABLE' });
  });
});
