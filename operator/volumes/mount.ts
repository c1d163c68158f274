import { CofferError } from '../../core/errors.ts';
import type { Manifest } from '../../core/format/manifest/manifest.ts';
import { entriesFor } from '../../core/format/manifest/readers.ts';
import { MANIFEST_NAME } from '../../schemas/grammar.ts';
import { RequestRate } from '../concurrency/request-rate.ts';
import type { Denials, Denied } from './denials.ts';
import { actorOf, type Pod, podOf } from './pod.ts';
import { frameParts, jsonObject, type MountRequest, VERSION_HEADER } from './protocol.ts';
import type { Reader } from './reader.ts';
import type { Answer, Asked } from './server.ts';
import { bearerToken, type TokenReviews } from './token-reviews.ts';

export interface MountParts {
  /** For the audience of the CSI driver. */
  tokens: Pick<TokenReviews, 'ownerOf'>;
  reader: Reader;
  /** Whether the configuration lets pods of a namespace mount. */
  isConfigured(namespace: string): boolean;
  denials: Denials;
  /** Told once for each request. */
  answered(outcome: MountOutcome): void;
  /** Whether what is known of the secrets is what counts now, not what another replica's turn or a stop may have made old. */
  isUpToDate(): boolean;
}

/** `denied`: this pod may not read that secret, or there is none. `failed`: it could not be answered, and is asked again. */
export type MountOutcome = 'opened' | 'unchanged' | 'denied' | 'failed';

/** Milliseconds that an answer about a token is good for: to be told that nothing has changed, and to be given values. */
const TOKEN_AGE = { unchanged: 60_000, opening: 5_000 };

/** What has a node plugin take the files from a pod. */
const TAKEN_AWAY: ReadonlySet<string> = new Set(['SECRET_UNKNOWN', 'VOLUME_NOT_READER']);
const DENIED: ReadonlySet<string> = new Set([...TAKEN_AWAY, 'VOLUME_NAMESPACE']);

/** Answers node plugins: the entries that a pod may read, by the pod's own token. */
export class MountRoute {
  readonly #parts: MountParts;
  /** A node with a few hundred pods polls for each of them every ten seconds, and has them all at once after its start. */
  readonly #nodes = new RequestRate(100, 1000);
  readonly #pods = new RequestRate(2, 40);

  constructor(parts: MountParts) {
    this.#parts = parts;
  }

  /**
   * Throws CofferError `VOLUME_BUSY`, `VOLUME_REQUEST`, `VOLUME_TOKEN_MISSING`, `_REFUSED`, `_UNBOUND`, `VOLUME_NAMESPACE`,
   * `VOLUME_NOT_READER`, `VOLUME_NOT_READY`, KubernetesError, and what Reader throws.
   */
  async answer(asked: Asked): Promise<Answer> {
    try {
      const answer = await this.#answer(asked);
      this.#parts.answered(answer.body === undefined ? 'unchanged' : 'opened');
      return answer;
    } catch (error) {
      this.#parts.answered(error instanceof CofferError && DENIED.has(error.code) ? 'denied' : 'failed');
      throw error;
    }
  }

  async #answer({ authorization, body, from }: Asked): Promise<Answer> {
    if (!this.#nodes.admits(from)) throw busy();
    const token = bearerToken(authorization);
    const { secret, version } = requestIn(body);
    const pod = await this.#pod(token, version === undefined ? TOKEN_AGE.opening : TOKEN_AGE.unchanged);
    const { namespace, serviceAccount } = pod;
    if (!this.#pods.admits(pod.uid)) throw busy();
    const denied = { action: 'mount', actor: actorOf(pod), namespace, name: secret } as const;
    if (!this.#parts.isConfigured(namespace)) throw await this.#denied(notConfigured(namespace), denied);
    const reading = await this.#read(denied, {
      namespace,
      name: secret,
      entries: (manifest) => entriesOf(manifest, pod),
      ...(version === undefined ? {} : { knownVersion: version }),
      confirm: async () => {
        // What the pod has may be newer than what is known here.
        if (version !== undefined && !this.#parts.isUpToDate()) throw notReady();
        await this.#pod(token, TOKEN_AGE.opening);
      },
      record: { action: 'mount', actor: actorOf(pod), workloads: [`${namespace}/${serviceAccount}`] },
    });
    if (reading.unchanged) return { headers: { [VERSION_HEADER]: reading.version } };
    return { body: frameParts(reading.version, reading.values), wipe: () => reading.wipe() };
  }

  async #pod(token: string, maxAge: number): Promise<Pod> {
    const owner = await this.#parts.tokens.ownerOf(token, maxAge);
    if (owner !== undefined) return podOf(owner);
    throw new CofferError(
      'VOLUME_TOKEN_REFUSED',
      "The API server does not accept the pod's token for csi.coffer.dev.",
      {
        advice:
          'Kubelet brings a fresh one within two minutes; if this stays, the pod is gone, or the CSIDriver object asks for another audience.',
        loop: 'retry',
      },
    );
  }

  /** Before it is up to date nobody is told that there is nothing (any more) for a pod: the files of running ones would go. */
  async #read(denied: Denied, request: Parameters<Reader['read']>[0]): ReturnType<Reader['read']> {
    try {
      return await this.#parts.reader.read(request);
    } catch (error) {
      if (!(error instanceof CofferError) || !TAKEN_AWAY.has(error.code)) throw error;
      if (!this.#parts.isUpToDate()) throw notReady(error);
      throw await this.#denied(error, denied);
    }
  }

  async #denied(error: CofferError, denied: Denied): Promise<CofferError> {
    await this.#parts.denials.record(error, denied);
    return error;
  }
}

function notReady(cause?: CofferError): CofferError {
  return new CofferError('VOLUME_NOT_READY', 'The operator has not looked at all of its sources yet.', {
    advice: 'Wait: the mount is tried again. If this stays, see what the operator says about its sources.',
    loop: 'retry',
    cause,
  });
}

function entriesOf(manifest: Manifest, { namespace, serviceAccount }: Pod): ReadonlySet<string> {
  const entries = entriesFor(manifest, serviceAccount);
  if (entries.size > 0) return entries;
  const readers = manifest.readers.map(({ name }) => name).join(', ');
  throw new CofferError(
    'VOLUME_NOT_READER',
    `ServiceAccount ${namespace}/${serviceAccount} may read no entry of ${manifest.name}; its readers are: ${readers || 'none'}.`,
    {
      advice: `Run the pod as one of them, or commit \`coffer grant FILE ${serviceAccount}\`.`,
      data: { namespace, name: manifest.name, workload: `${namespace}/${serviceAccount}` },
    },
  );
}

function requestIn(body: Buffer): MountRequest {
  const { secret, version } = jsonObject(body) ?? {};
  const isName = typeof secret === 'string' && new RegExp(MANIFEST_NAME).test(secret);
  const isVersion = version === undefined || (typeof version === 'string' && version.length <= 200);
  if (isName && isVersion) return { secret, ...(version === undefined ? {} : { version }) };
  throw new CofferError('VOLUME_REQUEST', 'The request is not {"secret": NAME, "version"?: TEXT}.', {
    advice: 'See that operator and node plugin are of one release.',
    exit: 2,
  });
}

function notConfigured(namespace: string): CofferError {
  return new CofferError('VOLUME_NAMESPACE', `Pods of the namespace ${namespace} may not mount volumes of coffer.`, {
    advice: "Add the namespace to projections: volumes in the operator's configuration.",
    data: { namespace },
  });
}

function busy(): CofferError {
  return new CofferError('VOLUME_BUSY', 'Too many requests came from here.', {
    advice: 'Wait: it is tried again.',
    loop: 'retry',
  });
}
