/** An operator's projector that is killed while the command which tells of a change runs. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openDirectoryProjector } from '../../operator/project/directory/open-directory-projector.ts';

const [path = '', stateDirectory = ''] = process.argv.slice(2);
const began = join(stateDirectory, 'began');
const onChange = {
  // Until this process is gone.
  command: [
    '/bin/sh',
    '-c',
    'touch "$0"; while kill -0 "$1" 2>/dev/null; do sleep 0.05; done',
    began,
    `${process.pid}`,
  ],
};
const options = { cluster: 'production', stateDirectory, environment: {} };
// Its parent ended without killing it.
process.once('disconnect', () => process.exit());
const projector = await openDirectoryProjector({ path, workloads: [{ name: 'shop/api', onChange }] }, options);
const audience = [{ workload: 'shop/api', entries: new Set(['a']) }];
await projector.apply({ namespace: 'shop', name: 'db', type: 'Opaque' }, audience, new Map([['a', Buffer.from('1')]]));
const told = projector.notify();
while (!existsSync(began)) await new Promise((resolve) => setImmediate(resolve));
process.send?.('began');
await told;
