import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { status } from '@grpc/grpc-js';
import { IDENTITY, type Methods, SERVICES } from '../../operator/node-plugin/csi.ts';
import { GrpcError, listen, service } from '../../operator/node-plugin/grpc.ts';
import { ourMounts } from '../../operator/node-plugin/mounts.ts';
import { partOrSkip } from '../parts/parts.ts';
import { TestOperator, TOKENS } from './scene/csi-operator.ts';
import { Plugin } from './scene/csi-plugin.ts';

/**
 * csi-sanity makes its volumes through a controller, which a driver of inline ephemeral volumes does not have: kubelet puts into the
 * request what a pod's author wrote. This one stands for that.
 */
const CONTROLLER = {
  ControllerGetCapabilities: [{}, { capabilities: [1, [{ rpc: [1, { type: [1, 'enum'] }] }]] }],
  CreateVolume: [
    { name: [1, 'string'], volume_capabilities: [3, [{}]] },
    { volume: [1, { volume_id: [2, 'string'], volume_context: [3, 'strings'] }] },
  ],
  DeleteVolume: [{ volume_id: [1, 'string'] }, {}],
  ValidateVolumeCapabilities: [
    { volume_id: [1, 'string'], volume_capabilities: [3, [{ access_mode: [3, { mode: [1, 'enum'] }] }]] },
    { confirmed: [1, { volume_capabilities: [2, [{ access_mode: [3, { mode: [1, 'enum'] }] }]] }] },
  ],
} as const satisfies Methods;

const CREATE_DELETE_VOLUME = 1;

function controller() {
  const ids = new Set<string>();
  const requireId = (id: string) => {
    if (id === '') throw new GrpcError(status.INVALID_ARGUMENT, 'no volume id');
  };
  return service('csi.v1.Controller', CONTROLLER, {
    ControllerGetCapabilities: async () => ({ capabilities: [{ rpc: { type: CREATE_DELETE_VOLUME } }] }),
    CreateVolume: async ({ name, volume_capabilities }) => {
      if (name === '' || volume_capabilities.length === 0) throw new GrpcError(status.INVALID_ARGUMENT, 'incomplete');
      ids.add(`csi-${name}`);
      return { volume: { volume_id: `csi-${name}`, volume_context: new Map([['secret', 'db']]) } };
    },
    DeleteVolume: async ({ volume_id }) => {
      requireId(volume_id);
      ids.delete(volume_id);
      return {};
    },
    ValidateVolumeCapabilities: async ({ volume_id, volume_capabilities }) => {
      requireId(volume_id);
      if (volume_capabilities.length === 0) throw new GrpcError(status.INVALID_ARGUMENT, 'no capabilities');
      if (!ids.has(volume_id)) throw new GrpcError(status.NOT_FOUND, 'no such volume');
      return { confirmed: { volume_capabilities: [{ access_mode: { mode: 1 } }] } };
    },
  });
}

/** csi-sanity asks it of the controller's socket too. */
const identity = service(SERVICES.identity, IDENTITY, {
  GetPluginInfo: async () => ({ name: 'csi.coffer.dev', vendor_version: '1' }),
  GetPluginCapabilities: async () => ({ capabilities: [] }),
  Probe: async () => ({ ready: { value: true } }),
});

test('the node plugin passes csi-sanity', async (t) => {
  const sanity = await partOrSkip(t, 'csi-sanity');
  if (sanity === undefined) return;
  if (process.geteuid?.() !== 0) return t.skip('SKIPPED: mounting needs root');
  const operator = await TestOperator.start(t);
  operator.contents.set('db', { version: '1', entries: { password: 'canary-sanity' } });
  const { directory, trustDirectory } = operator;
  const plugin = await Plugin.start(operator, {
    operator: operator.address,
    trustDirectory,
    kubeletDirectory: join(directory, 'kubelet'),
    privateDirectory: join(directory, 'private'),
  });
  const socket = join(directory, 'controller.sock');
  const server = await listen(socket, [identity, controller()], (error) => assert.fail(String(error)));
  operator.after(() => server.close());
  const secrets = join(directory, 'secrets.yaml');
  await writeFile(secrets, JSON.stringify({ NodePublishVolumeSecret: Object.fromEntries(TOKENS) }));
  const { stdout } = await promisify(execFile)(sanity, [
    ...['--csi.endpoint', plugin.socket, '--csi.controllerendpoint', socket, '--csi.secrets', secrets],
    ...['--csi.mountdir', join(directory, 'mount'), '--csi.stagingdir', join(directory, 'staging')],
    '--ginkgo.no-color',
  ]).catch((error: { stdout: string }) => assert.fail(error.stdout.split('Summarizing').at(-1) ?? ''));
  const [, ran] = /Ran ([0-9]+) of/.exec(stdout) ?? [];
  assert.ok(Number(ran) > 20, stdout);
  assert.ok(operator.opened.length > 0, 'nothing was ever published');
  assert.deepEqual(
    (await ourMounts()).filter(({ path }) => path.startsWith(directory)),
    [],
  );
  assert.ok(!plugin.output.includes('canary') && !stdout.includes('canary'));
});
