import type { KubeClient } from '../../kubernetes/client.ts';
import { RESOURCES } from '../../kubernetes/resource.ts';
import { keyOf } from '../namespaced-name.ts';
import type { Digests } from './digests.ts';
import { givenUp, isOurs } from './field-ownership.ts';
import type { Inventory, OurSecret } from './inventory.ts';
import { OWN_ANNOTATIONS, PROJECTED_LABEL, RETAINED } from './marks.ts';
import { ATTEMPTS, isRace } from './races.ts';
import { contended } from './refusals.ts';
import type { SecretObject } from './secret-object.ts';

export interface SecretLeaverParts {
  client: KubeClient;
  digests: Digests;
  inventory: Inventory;
}

/** Ends what the operator has with a Secret: only with the very one that it made. Methods throw CofferError. */
export class SecretLeaver {
  readonly #client: KubeClient;
  readonly #digests: Digests;
  readonly #inventory: Inventory;

  constructor({ client, digests, inventory }: SecretLeaverParts) {
    this.#client = client;
    this.#digests = digests;
    this.#inventory = inventory;
  }

  /** Deletes it if it is still the one that was seen, and ours. */
  async remove(known: OurSecret): Promise<void> {
    await this.#leave(known, async ({ uid, resourceVersion }) => {
      await this.#client.delete(RESOURCES.secrets, known, { uid, resourceVersion });
    });
  }

  /** Takes the operator's marks from it, in one write, so that it is nobody's; its entries stay. */
  async retain(known: OurSecret): Promise<void> {
    const { namespace, name } = known;
    await this.#leave(known, async () => {
      const live = await this.#client.get<SecretObject>(RESOURCES.secrets, known);
      if (live === undefined || !isOurs(live.metadata)) return;
      const { metadata } = live;
      const gone = Object.fromEntries(OWN_ANNOTATIONS.map((annotation) => [annotation, null]));
      const owners = (metadata.ownerReferences ?? []).filter(({ uid }) => uid !== known.owner);
      const retained = this.#digests.ofRetained(namespace, name, metadata.uid ?? '');
      const change = {
        metadata: {
          uid: metadata.uid,
          resourceVersion: metadata.resourceVersion,
          labels: { [PROJECTED_LABEL]: null },
          annotations: { ...gone, [RETAINED]: retained },
          ownerReferences: owners.length === 0 ? null : owners,
          managedFields: givenUp(metadata),
        },
      };
      await this.#client.patch(RESOURCES.secrets, known, change, { type: 'merge' });
    });
  }

  /** What the watch tells meanwhile is our doing, so nobody must take it for a disturbance. */
  async #leave(known: OurSecret, attempt: (secret: Pick<OurSecret, 'uid' | 'resourceVersion'>) => Promise<void>) {
    const key = keyOf(known.namespace, known.name);
    this.#inventory.leave(key, known.uid);
    try {
      await this.#withCurrent(known, attempt);
    } catch (error) {
      this.#inventory.setOurs(known);
      throw error;
    }
  }

  /** Tries with what is known, and where that is old, with what is there, as long as that is ours. */
  async #withCurrent(known: OurSecret, attempt: (secret: Pick<OurSecret, 'uid' | 'resourceVersion'>) => Promise<void>) {
    let { uid, resourceVersion } = known;
    for (let tries = 1; tries <= ATTEMPTS; tries++) {
      try {
        return await attempt({ uid, resourceVersion });
      } catch (error) {
        if (!isRace(error)) throw error;
      }
      const live = await this.#client.get<SecretObject>(RESOURCES.secrets, known);
      if (live === undefined || !isOurs(live.metadata)) return;
      uid = live.metadata.uid ?? '';
      resourceVersion = live.metadata.resourceVersion ?? '';
    }
    throw contended(known);
  }
}
