import type { Message } from './protobuf.ts';

/**
 * The messages and methods of the Container Storage Interface v1 (container-storage-interface/spec, csi.proto) and of kubelet's plugin
 * registration (k8s.io/kubelet/pkg/apis/pluginregistration/v1) that a node plugin of ephemeral volumes uses, with the fields it looks
 * at.
 */

const EMPTY = {} as const satisfies Message;

const MOUNT_VOLUME = {
  fs_type: [1, 'string'],
  mount_flags: [2, ['string']],
  volume_mount_group: [3, 'string'],
} as const satisfies Message;

const VOLUME_CAPABILITY = {
  block: [1, EMPTY],
  mount: [2, MOUNT_VOLUME],
  access_mode: [3, { mode: [1, 'enum'] }],
} as const satisfies Message;

export const NODE_PUBLISH_VOLUME_REQUEST = {
  volume_id: [1, 'string'],
  target_path: [4, 'string'],
  volume_capability: [5, VOLUME_CAPABILITY],
  readonly: [6, 'bool'],
  secrets: [7, 'strings'],
  volume_context: [8, 'strings'],
} as const satisfies Message;

const NODE_UNPUBLISH_VOLUME_REQUEST = {
  volume_id: [1, 'string'],
  target_path: [2, 'string'],
} as const satisfies Message;

const NODE_SERVICE_CAPABILITY = { rpc: [1, { type: [1, 'enum'] }] } as const satisfies Message;

/** NodeServiceCapability.RPC.Type */
export const VOLUME_MOUNT_GROUP = 6;

/** Method → request and response. */
export interface Methods {
  readonly [method: string]: readonly [Message, Message];
}

export const IDENTITY = {
  GetPluginInfo: [EMPTY, { name: [1, 'string'], vendor_version: [2, 'string'] }],
  GetPluginCapabilities: [EMPTY, { capabilities: [1, [EMPTY]] }],
  Probe: [EMPTY, { ready: [1, { value: [1, 'bool'] }] }],
} as const satisfies Methods;

export const NODE = {
  NodePublishVolume: [NODE_PUBLISH_VOLUME_REQUEST, EMPTY],
  NodeUnpublishVolume: [NODE_UNPUBLISH_VOLUME_REQUEST, EMPTY],
  NodeGetCapabilities: [EMPTY, { capabilities: [1, [NODE_SERVICE_CAPABILITY]] }],
  NodeGetInfo: [EMPTY, { node_id: [1, 'string'] }],
} as const satisfies Methods;

export const REGISTRATION = {
  GetInfo: [
    EMPTY,
    { type: [1, 'string'], name: [2, 'string'], endpoint: [3, 'string'], supported_versions: [4, ['string']] },
  ],
  NotifyRegistrationStatus: [{ plugin_registered: [1, 'bool'], error: [2, 'string'] }, EMPTY],
} as const satisfies Methods;

/** Full names of the services. */
export const SERVICES = {
  identity: 'csi.v1.Identity',
  node: 'csi.v1.Node',
  registration: 'pluginregistration.Registration',
} as const;
