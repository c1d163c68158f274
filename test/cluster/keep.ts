/**
 * Keeps one cluster running for whoever develops, until Ctrl-C: `node test/cluster/keep.ts [FOLDER]`, then
 * `export COFFER_TEST_CLUSTER=FOLDER` where tests are run.
 */

import { resolve } from 'node:path';
import { startCluster } from './cluster.ts';
import { SHARED_CLUSTER } from './shared.ts';

const [directory] = process.argv.slice(2);
const cluster = await startCluster(directory === undefined ? {} : { directory: resolve(directory) });
console.log(`export ${SHARED_CLUSTER}=${cluster.directory}\nexport KUBECONFIG=${cluster.kubeconfig}`);
const forEver = setInterval(() => undefined, 60_000);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    clearInterval(forEver);
    cluster.stop().catch((error) => {
      console.error(error);
      process.exitCode = 1;
    });
  });
}
