import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, type TestContext, test } from 'node:test';
import { eventually } from '../operator/site.ts';
import { partOrSkip } from '../parts/parts.ts';
import type { Cluster } from './cluster.ts';
import { NODE_PARTS, nodeOrSkip } from './node.ts';
import { newNamespace, sharedCluster } from './shared.ts';
import { untilGone } from './swept-folder.ts';

const HOLDER = join(import.meta.dirname, 'node-holder.ts');

async function uidOf(cluster: Cluster, namespace: string, pod: string): Promise<string> {
  return JSON.parse(await cluster.admin.expect('GET', `/api/v1/namespaces/${namespace}/pods/${pod}`)).metadata.uid;
}

/** Ids of the containers that have a control group, wherever this machine's kernel keeps those. */
function controlGroups(): string[] {
  return globSync('/sys/fs/cgroup/{k8s.io,*/k8s.io}/*').map((path) => path.slice(path.lastIndexOf('/') + 1));
}

function commandLines(): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'ESRCH')
        return '';
      throw error;
    }
  });
}

async function canRunNodes(t: TestContext): Promise<boolean> {
  if (process.geteuid?.() !== 0) {
    t.skip('SKIPPED: kubelet and containerd need root');
    return false;
  }
  for (const part of NODE_PARTS) if (!(await partOrSkip(t, part))) return false;
  return true;
}

describe('a node', () => {
  test('runs a pod whose logs, files and mounted volumes a test can read', async (t) => {
    const cluster = await sharedCluster(t);
    if (!cluster) return;
    const namespace = await newNamespace(t, cluster);
    const node = await nodeOrSkip(t, cluster);
    if (!node) return;
    const script = 'echo from the pod; echo in it > /tmp/file; echo shared > /memory/file; exec sleep 1000000';
    await node.startPod(namespace, 'reader', {
      spec: { volumes: [{ name: 'memory', emptyDir: { medium: 'Memory' } }] },
      container: { command: ['sh', '-c', script], volumeMounts: [{ name: 'memory', mountPath: '/memory' }] },
    });
    await node.untilRunning(namespace, 'reader');
    assert.equal(await node.exec(namespace, 'reader', 'cat', '/tmp/file'), 'in it\n');
    assert.equal(await cluster.kubectl('logs', '-n', namespace, 'reader'), 'from the pod\n');
    const volumes = join(node.rootDirectory, 'pods', await uidOf(cluster, namespace, 'reader'), 'volumes');
    assert.equal(readFileSync(join(volumes, 'kubernetes.io~empty-dir/memory/file'), 'utf8'), 'shared\n');
    const account = '/var/run/secrets/kubernetes.io/serviceaccount';
    assert.equal(await node.exec(namespace, 'reader', 'cat', `${account}/namespace`), namespace);
  });

  test('leaves no process, mount, control group or folder behind when its process is killed', async (t) => {
    const cluster = await sharedCluster(t);
    if (!cluster || !(await canRunNodes(t))) return;
    const namespace = await newNamespace(t, cluster);
    const holder = spawn(process.execPath, [HOLDER, cluster.directory, namespace], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => holder.kill('SIGKILL'));
    const [line] = (await once(createInterface(holder.stdout), 'line')) as [string];
    const [name = '', directory = ''] = line.split(' ');
    const isContained = () => commandLines().includes(`sleep ${holder.pid}00000`);
    const isMounted = () => readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${directory}/`);
    const containers = readdirSync(join(directory, 'containerd/state/io.containerd.runtime.v2.task/k8s.io'));
    const grouped = () => controlGroups().filter((id) => containers.includes(id));
    // A container counts as running a moment before its first program is what is to run in it.
    await eventually(() => assert.deepEqual([isContained(), isMounted(), grouped().length > 0], [true, true, true]));

    holder.kill('SIGKILL');
    await untilGone(directory);
    assert.deepEqual([isContained(), isMounted(), grouped()], [false, false, []]);
    // The sweeper, and the `rm` that it runs, end after what they sweep.
    await eventually(() =>
      assert.deepEqual(
        commandLines().filter((command) => command.includes(directory)),
        [],
      ),
    );
    await cluster.kubectl('delete', 'pod', '-n', namespace, 'held', '--grace-period=0', '--force');
    await cluster.kubectl('delete', 'node', name);
  });
});
