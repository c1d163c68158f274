/** An operator's projector that changes thirty entries as fast as it can, until it is killed, or its parent ends. */
import { openDirectoryProjector } from '../../operator/project/directory/open-directory-projector.ts';

const [path = '', stateDirectory = '', uid = '', gid = ''] = process.argv.slice(2);
const workload = { name: 'shop/api', uid: Number(uid), gid: Number(gid) };
const options = { cluster: 'production', stateDirectory, environment: {} };
process.once('disconnect', () => process.exit());
const projector = await openDirectoryProjector({ path, workloads: [workload] }, options);
process.send?.('ready');

const secret = { namespace: 'shop', name: 'db', type: 'Opaque' };
const entries = new Set(Array.from({ length: 30 }, (_, index) => `entry-${index}`));
for (let version = 0; ; version++) {
  const value = Buffer.from(`${version}`);
  const values = new Map([...entries].map((entry) => [entry, value]));
  await projector.apply(secret, [{ workload: workload.name, entries }], values);
  if (version % 50 === 49) await projector.prune(secret.namespace, secret.name);
}
