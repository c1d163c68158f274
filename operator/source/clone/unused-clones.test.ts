import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CofferError } from '../../../core/errors.ts';
import type { OperatorSettings } from '../../config/settings.ts';
import { openSources } from '../../pipeline.ts';
import { Closing } from '../../process/closing.ts';
import type { Log } from '../../process/log.ts';
import { FloorFile, Floors } from '../../trust/floors.ts';
import { Clone } from './clone.ts';
import { removeUnused } from './unused-clones.ts';

const DAY = 24 * 3_600_000;
const START = Date.parse('2026-01-01T00:00:00Z');
const USED = '1'.repeat(16);
const FORMER = '2'.repeat(16);
const BACK = '3'.repeat(16);

test('a clone goes a week after its source went, and nothing else does', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'coffer-unused-'));
  t.after(() => rm(root, { recursive: true }));
  const folder = join(root, 'sources');
  const isThere = (name: string) => existsSync(join(folder, name));
  const at = async (days: number, ...used: string[]) => {
    const found = await removeUnused(folder, new Set([USED, ...used]), new Date(START + days * DAY));
    return found.map(({ source, isRemoved }) => `${source} ${isRemoved}`);
  };
  assert.deepEqual(await at(0), [], 'there is no folder yet');
  for (const id of [USED, FORMER, BACK]) (await Clone.open(join(folder, id))).close();
  // Somebody else's: a clone elsewhere that a link leads to, a folder, a file.
  (await Clone.open(join(root, 'elsewhere'))).close();
  await symlink(join(root, 'elsewhere'), join(folder, '4'.repeat(16)));
  await mkdir(join(folder, '5'.repeat(16)));
  await writeFile(join(folder, '6'.repeat(16)), '');
  (await Clone.open(join(folder, 'notes'))).close();

  assert.deepEqual(await at(0, BACK), [`${FORMER} false`]);
  assert.deepEqual(await at(1), [`${FORMER} false`, `${BACK} false`]);
  assert.deepEqual(await at(2, BACK), [`${FORMER} false`]);
  assert.deepEqual(await at(6.9), [`${FORMER} false`, `${BACK} false`]);
  assert.deepEqual(await at(7), [`${FORMER} true`, `${BACK} false`], 'that which was back has its week anew');
  assert.deepEqual(await at(8), [`${BACK} false`]);
  assert.ok(!isThere(FORMER));
  for (const name of [USED, BACK, 'notes', ...['4', '5', '6'].map((digit) => digit.repeat(16))])
    assert.ok(isThere(name));
  assert.ok(existsSync(join(root, 'elsewhere', 'HEAD')));
});

test('what is left of a clone whose removal was interrupted goes with the next start, whether its source is back or not', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'coffer-unused-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const name of [`.gone-${USED}`, `.gone-${FORMER}`, '.gone-notes', `gone-${BACK}`]) {
    await mkdir(join(folder, name, 'objects', 'pack'), { recursive: true });
    await writeFile(join(folder, name, 'objects', 'pack', 'left.pack'), '');
  }
  (await Clone.open(join(folder, USED))).close();
  assert.deepEqual(await removeUnused(folder, new Set([USED]), new Date(START)), []);
  assert.deepEqual((await readdir(folder)).sort(), ['.gone-notes', USED, `gone-${BACK}`]);
});

test('an operator says at its start which clones nobody needs, and starts also where they cannot be marked', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'coffer-unused-'));
  t.after(() => rm(root, { recursive: true }));
  const clone = join(root, 'sources', FORMER);
  (await Clone.open(clone)).close();
  const said: unknown[] = [];
  const log: Log = {
    info: (message, fields) => void said.push([message, fields?.source]),
    warn: () => assert.fail(),
    failure: () => assert.fail(),
    thrown: (error) => void said.push(error instanceof CofferError && error.code),
  };
  const settings = { sources: [], stateDirectory: root } as Pick<OperatorSettings, 'sources' | 'stateDirectory'>;
  const start = async () =>
    openSources(settings as OperatorSettings, await Floors.open([new FloorFile(root)]), log, new Closing());
  assert.deepEqual(await start(), []);
  assert.deepEqual(said, [['the clone of a source that is not configured goes after a week without it', FORMER]]);
  await utimes(join(clone, 'coffer-unused'), 0, 0);
  await start();
  assert.deepEqual(said.slice(1), [['removed the clone of a source that is not configured', FORMER]]);
  // Which the system refuses as it refuses to write without rights or room.
  await rm(join(root, 'sources'), { recursive: true });
  await writeFile(join(root, 'sources'), 'no folder');
  await start();
  assert.deepEqual(said.slice(2), ['STATE_UNWRITABLE']);
});
