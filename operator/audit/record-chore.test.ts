import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AnyRecord } from '../../core/audit/record.ts';
import { onDisk } from '../../test/operator/tmpfs.ts';
import { Configuration } from './configuration.ts';
import { OperatorLog } from './operator-log.ts';
import { RecordChore } from './record-chore.ts';

test('looks at the same time tell the log once of what is new', async (t) => {
  const stateDirectory = onDisk(t);
  const at = { cluster: 'production', stateDirectory };
  const [settings, pins] = [join(stateDirectory, 'settings'), join(stateDirectory, 'pins')];
  writeFileSync(pins, 'one');
  const written: AnyRecord[] = [];
  const log = new OperatorLog({
    open: async () => ({
      origin: 'coffer.dev/audit/production/0123456789abcdef',
      checkpoint: undefined,
      size: 0,
      problems: [],
      append: async (records) => void written.push(...records),
      sign: async () => {},
      close: async () => {},
    }),
    opened: async () => [],
    override: async () => undefined,
    now: () => new Date(),
    kept: () => {},
  });
  const configuration = new Configuration({ settings, pins, policies: new Map() }, at);
  const chore = new RecordChore({ log, configuration, troubles: () => [] }, [], at);
  await Promise.all([chore.look(), chore.look(), chore.look()]);
  assert.deepEqual(
    written.map(({ event, aspect }) => `${event} ${aspect}`),
    ['configuration.changed pins'],
  );
  assert.deepEqual(chore.troubles(), []);
});
