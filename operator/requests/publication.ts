import { orNothing } from '../../core/errors.ts';
import { type Fulfilment, fulfilmentParts, readFulfilment } from '../../core/requests/fulfilment.ts';
import { REQUEST_LABEL } from '../../core/requests/published.ts';
import type { JoinRequest } from '../../core/requests/request.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import { Outbox } from '../outbox/outbox.ts';

/** Where the stanzas that were made for requests wait to be collected. All of it is ciphertext. */
export class Publication {
  readonly #outbox: Outbox;

  constructor(stateDirectory: string, client: KubeClient | undefined) {
    const place = { folder: 'requests', label: REQUEST_LABEL, prefix: 'coffer-request' };
    this.#outbox = new Outbox({ stateDirectory, client, ...place });
  }

  /** What was published of a request by this or an earlier run. What others put in its place is not taken for it, and `write` mends it. */
  async read(request: JoinRequest): Promise<Fulfilment | undefined> {
    const parts = await this.#outbox.readOwn(request.id);
    return parts.length === 0 ? undefined : orNothing(() => readFulfilment(parts, request));
  }

  async write(fulfilment: Fulfilment): Promise<void> {
    await this.#outbox.write(fulfilment.request, fulfilmentParts(fulfilment));
  }

  /** Takes away what belongs to no request of these. */
  async keepOnly(ids: ReadonlySet<string>): Promise<void> {
    await this.#outbox.keepOnly(ids);
  }
}
