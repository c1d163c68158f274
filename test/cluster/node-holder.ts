/** A process that runs a node with a pod until it is killed: `node node-holder.ts CLUSTER_FOLDER NAMESPACE`. */

import { dirname } from 'node:path';
import { joinCluster } from './cluster.ts';
import { startNode } from './node.ts';

const [directory = '', namespace = ''] = process.argv.slice(2);
const node = await startNode(await joinCluster(directory));
const container = {
  command: ['sleep', `${process.pid}00000`],
  volumeMounts: [{ name: 'memory', mountPath: '/memory' }],
};
await node.startPod(namespace, 'held', {
  spec: { volumes: [{ name: 'memory', emptyDir: { medium: 'Memory' } }] },
  container,
});
await node.untilRunning(namespace, 'held');
console.log(`${node.name} ${dirname(node.rootDirectory)}`);
setInterval(() => undefined, 60_000);
