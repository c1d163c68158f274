import { CofferError } from '../../core/errors.ts';
import type { Manifest } from '../../core/format/manifest/manifest.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import { KubernetesError } from '../kubernetes/kubernetes-error.ts';
import { RESOURCES } from '../kubernetes/resource.ts';
import { type Key, keyOf, namesOf } from '../project/namespaced-name.ts';
import { definitionTrouble } from './definition-trouble.ts';
import type { EncryptedSecrets, StoredObject } from './encrypted-secrets.ts';
import { type EncryptedSecretObject, isMirror, type Mirror, mirrorOf } from './mirror.ts';
import type { Outage } from './outage.ts';
import { fingerprintOf } from './own-spec.ts';

/** Times that a mirror is looked at anew because somebody wrote it at the same moment. */
const ATTEMPTS = 3;

/** What was applied for a home, and what the server made of it. */
interface Load {
  wanted: string;
  found: string;
}

export interface CarriageParts {
  client: KubeClient;
  objects: EncryptedSecrets;
  outage: Outage;
  signal: AbortSignal;
}

/** Makes mirrors, puts them right and takes them away; never what somebody else applies. */
export class Carriage {
  readonly #parts: CarriageParts;
  readonly #loads = new Map<Key, Load>();

  constructor(parts: CarriageParts) {
    this.#parts = parts;
  }

  /** Whether what is there, or is not, is other than what was carried. */
  isDisturbed(home: Key): boolean {
    const load = this.#loads.get(home);
    if (load === undefined) return false;
    const object = this.#parts.objects.get(home);
    return object === undefined || (object.isMirror && !isRight(object, load.found));
  }

  /** All of which that is so. */
  disturbed(): Key[] {
    return [...this.#loads.keys()].filter((home) => this.isDisturbed(home));
  }

  has(home: Key): boolean {
    return this.#loads.has(home);
  }

  /**
   * Throws KubernetesError and CofferError `MIRROR_CHANGED`; where the kind is not served as it should be, that is an outage instead, in which nothing is tried.
   */
  async carry(manifest: Manifest, own: ReadonlySet<string>): Promise<void> {
    const mirror = mirrorOf(manifest, own);
    if (mirror === undefined) return;
    const home = keyOf(manifest.namespace, manifest.name);
    const load = this.#loads.get(home);
    this.#loads.set(home, load?.wanted === mirror.fingerprint ? load : loadOf(mirror));
    if (!this.#parts.outage.mayTry()) return;
    await this.#unlessUnserved(() => this.#makeRight(home, mirror));
  }

  /** Throws KubernetesError. */
  async release(home: Key): Promise<void> {
    this.#loads.delete(home);
    const { client, objects, signal } = this.#parts;
    const object = objects.get(home);
    if (object?.isMirror !== true) return;
    const { namespace, name, uid } = object;
    await this.#unlessUnserved(async () => {
      await client.delete(RESOURCES.encryptedSecrets, { namespace, name }, { uid, signal });
    });
  }

  async #makeRight(home: Key, mirror: Mirror): Promise<void> {
    const { objects } = this.#parts;
    for (let attempt = 1; ; attempt++) {
      const object = objects.get(home);
      const load = this.#loads.get(home);
      if (load === undefined || object?.isMirror === false) return;
      if (object !== undefined && isRight(object, mirror.fingerprint)) return;
      try {
        return await this.#apply(home, mirror, object);
      } catch (error) {
        if (!(error instanceof KubernetesError) || !isRace(error) || attempt === ATTEMPTS) throw error;
        if (!(await this.#lookAgain(home))) return;
      }
    }
  }

  /** With what is known of the object as the precondition; where none is known, nothing is taken from anybody. */
  async #apply(home: Key, { body, fingerprint }: Mirror, object: StoredObject | undefined): Promise<void> {
    const { client, objects, outage, signal } = this.#parts;
    const { namespace, name } = body.metadata;
    const precondition = object && { uid: object.uid, resourceVersion: object.resourceVersion };
    const { spec } = await objects.ask(home, async () => {
      const answer = await client.apply<EncryptedSecretObject>(
        RESOURCES.encryptedSecrets,
        { name, ...(namespace === undefined ? {} : { namespace }) },
        { ...body, metadata: { ...body.metadata, ...precondition } },
        { force: object !== undefined, signal },
      );
      // Known before others are told of the object.
      this.#loads.set(home, { wanted: fingerprint, found: fingerprintOf(answer.spec ?? {}) });
      return answer;
    });
    outage.ended();
    if (fingerprintOf(spec ?? {}) !== fingerprint) throw changed(home);
  }

  /** Returns whether it is still for us to apply. */
  async #lookAgain(home: Key): Promise<boolean> {
    const { client, objects, signal } = this.#parts;
    const object = await objects.ask(home, () =>
      client.get<EncryptedSecretObject>(RESOURCES.encryptedSecrets, namesOf(home), signal),
    );
    return object === undefined || isMirror(object);
  }

  async #unlessUnserved(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof KubernetesError)) throw error;
      const trouble = definitionTrouble(error);
      if (trouble === undefined) throw error;
      this.#parts.outage.began(trouble);
    }
  }
}

function loadOf({ fingerprint }: Mirror): Load {
  return { wanted: fingerprint, found: fingerprint };
}

function isRight({ fingerprint, isLabelled }: StoredObject, expected: string): boolean {
  return isLabelled && fingerprint === expected;
}

/** A server that is just taking up a newer definition drops fields in silence as well. */
function changed(home: Key): CofferError {
  return new CofferError(
    'MIRROR_CHANGED',
    `Something in the cluster changes the EncryptedSecret ${home} as it is written, so that it does not say what git says.`,
    {
      advice:
        'Apply the CustomResourceDefinitions of this version of coffer, and let admission webhooks leave EncryptedSecret objects as they are.',
      loop: 'retry',
    },
  );
}

function isRace({ code }: KubernetesError): boolean {
  return code === 'KUBERNETES_CONFLICT' || code === 'KUBERNETES_FIELD_CONFLICT';
}
