import { status } from '@grpc/grpc-js';
import { CofferError } from '../../core/errors.ts';
import { fromSystemError } from '../../core/files/system-error.ts';
import { IDENTITY, NODE, REGISTRATION, SERVICES, VOLUME_MOUNT_GROUP } from './csi.ts';
import { GrpcError, type Service, service } from './grpc.ts';
import { readPublishRequest, requireVolume } from './publish-request.ts';
import type { NodeVolumes } from './volumes.ts';

const DRIVER = 'csi.coffer.dev';

/** The version of the registration's protocol, not of this program. */
const REGISTRATION_VERSION = '1.0.0';
/** An Event holds 1,024 bytes, and kubelet's own words come first. */
const LONGEST_MESSAGE = 800;

/**
 * gRPC status of an error, where the volume is not mounted. The others are UNAVAILABLE, which leaves kubelet in doubt about what is
 * there: it keeps the target and unpublishes it in the end.
 */
const STATUSES: Readonly<Record<string, status>> = {
  NODE_REQUEST: status.INVALID_ARGUMENT,
  VOLUME_ATTRIBUTES: status.INVALID_ARGUMENT,
  VOLUME_NOT_READER: status.PERMISSION_DENIED,
  VOLUME_NAMESPACE: status.PERMISSION_DENIED,
  VOLUME_TOKEN_UNBOUND: status.PERMISSION_DENIED,
  VOLUME_TOKEN_REFUSED: status.UNAUTHENTICATED,
  SECRET_UNKNOWN: status.NOT_FOUND,
};

export interface Identity {
  version: string;
  node: string;
}

/** The services that kubelet calls on the driver's socket. */
export function driverServices(volumes: NodeVolumes, { version, node }: Identity): Service[] {
  const identity = service(SERVICES.identity, IDENTITY, {
    GetPluginInfo: async () => ({ name: DRIVER, vendor_version: version }),
    // No controller: nothing is made before a pod needs it.
    GetPluginCapabilities: async () => ({ capabilities: [] }),
    Probe: async () => ({ ready: { value: true } }),
  });
  const nodeService = service(SERVICES.node, NODE, {
    NodeGetInfo: async () => ({ node_id: node }),
    NodeGetCapabilities: async () => ({ capabilities: [{ rpc: { type: VOLUME_MOUNT_GROUP } }] }),
    NodePublishVolume: (request, signal) =>
      telling(async () => {
        await volumes.publish(readPublishRequest(request), signal);
        return {};
      }),
    NodeUnpublishVolume: ({ volume_id: id, target_path: target }) =>
      telling(async () => {
        requireVolume(id, target);
        await volumes.unpublish(id, target);
        return {};
      }),
  });
  return [identity, nodeService];
}

/** Tells kubelet where the driver's socket is, as a registrar beside it would. */
export function registrationService(endpoint: string, refused: (message: string) => void): Service {
  return service(SERVICES.registration, REGISTRATION, {
    GetInfo: async () => ({ type: 'CSIPlugin', name: DRIVER, endpoint, supported_versions: [REGISTRATION_VERSION] }),
    NotifyRegistrationStatus: async ({ plugin_registered: isRegistered, error }) => {
      if (!isRegistered) refused(error);
      return {};
    },
  });
}

async function telling<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (thrown) {
    const error = thrown instanceof CofferError ? thrown : fromSystemError(thrown);
    if (error === undefined) throw thrown;
    const { code, message, advice } = error;
    const text = `${code}: ${message} ${advice}`.slice(0, LONGEST_MESSAGE);
    throw new GrpcError(STATUSES[code] ?? status.UNAVAILABLE, text);
  }
}
