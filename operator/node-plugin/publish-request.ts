import { CofferError } from '../../core/errors.ts';
import { objectOf } from '../../core/json.ts';
import { MANIFEST_NAME } from '../../schemas/grammar.ts';
import { AUDIENCE } from '../volumes/pod.ts';
import { jsonObject } from '../volumes/protocol.ts';
import type { NODE_PUBLISH_VOLUME_REQUEST } from './csi.ts';
import type { Of } from './protobuf.ts';

/** The token of the pod that mounts; kept in memory only. */
export interface PodToken {
  token: string;
  /** Milliseconds since 1970. */
  expires: number;
}

/** What kubelet asks for, checked. */
export interface PublishRequest {
  id: string;
  target: string;
  /** Name of the manifest. */
  secret: string;
  token: PodToken;
  /** NAMESPACE/NAME, for people. */
  pod: string;
  /** The pod's fsGroup, which may read the files; absent: whoever the pod runs as. */
  group?: number;
}

/** Of the volume's attributes those that kubelet adds have this prefix. */
const KUBELET = 'csi.storage.k8s.io/';
const TOKENS = `${KUBELET}serviceAccount.tokens`;
const ATTRIBUTE = 'secret';

/**
 * Throws CofferError `NODE_REQUEST` for what kubelet never sends, `VOLUME_ATTRIBUTES` for what the pod's author can mend, `NODE_TOKEN`
 * where the CSIDriver object does not ask kubelet for tokens.
 */
export function readPublishRequest(request: Of<typeof NODE_PUBLISH_VOLUME_REQUEST>): PublishRequest {
  const { volume_id: id, target_path: target, volume_capability: capability, volume_context: context } = request;
  requireVolume(id, target);
  if (capability?.mount === undefined) throw invalid('it asks for something else than a mounted folder');
  const secret = context.get(ATTRIBUTE);
  for (const name of context.keys())
    if (name !== ATTRIBUTE && !name.startsWith(KUBELET)) throw attributes(`there is no attribute ${name.slice(0, 60)}`);
  if (secret === undefined || !new RegExp(MANIFEST_NAME).test(secret))
    throw attributes('the name of the secret is missing, or no name');
  const pod = `${context.get(`${KUBELET}pod.namespace`) ?? ''}/${context.get(`${KUBELET}pod.name`) ?? ''}`;
  // Clusters before 1.35 know no `serviceAccountTokenInSecrets` and put tokens beside the attributes.
  const token = readToken(request.secrets.get(TOKENS) ?? context.get(TOKENS) ?? '');
  return { id, target, secret, token, pod, ...groupOf(capability.mount.volume_mount_group) };
}

/** Throws CofferError `NODE_REQUEST`. */
export function requireVolume(id: string, target: string): void {
  if (id === '') throw invalid('it names no volume');
  if (!target.startsWith('/')) throw invalid('its target is no absolute path');
}

/** `{"AUDIENCE": {"token", "expirationTimestamp"}}`, as kubelet writes it. */
function readToken(json: string): PodToken {
  const { token, expirationTimestamp } = objectOf(jsonObject(Buffer.from(json))?.[AUDIENCE]);
  const expires = typeof expirationTimestamp === 'string' ? Date.parse(expirationTimestamp) : Number.NaN;
  if (typeof token === 'string' && token !== '' && !Number.isNaN(expires)) return { token, expires };
  throw new CofferError('NODE_TOKEN', `Kubelet sent no token of the pod for ${AUDIENCE}.`, {
    advice: `Apply the CSIDriver object of coffer's release: it has tokenRequests with the audience ${AUDIENCE}.`,
    loop: 'retry',
  });
}

function groupOf(text: string): { group?: number } {
  return /^[0-9]{1,10}$/.test(text) ? { group: Number(text) } : {};
}

function attributes(what: string): CofferError {
  return new CofferError('VOLUME_ATTRIBUTES', `The volume's attributes are wrong: ${what}.`, {
    advice: 'Write `csi: {driver: csi.coffer.dev, volumeAttributes: {secret: NAME}}`, and nothing else.',
    exit: 2,
  });
}

function invalid(what: string): CofferError {
  return new CofferError('NODE_REQUEST', `This is no request for a volume of coffer: ${what}.`, {
    advice: 'Use the driver for inline ephemeral volumes of pods only.',
    exit: 2,
  });
}
