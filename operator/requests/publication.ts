import { CofferError } from '../../core/errors.ts';
import { type Fulfilment, fulfilmentParts, readFulfilment } from '../../core/requests/fulfilment.ts';
import { REQUEST_LABEL } from '../../core/requests/published.ts';
import type { JoinRequest } from '../../core/requests/request.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import { PublishedParts } from './published-parts.ts';

/** Where the stanzas that were made for requests wait to be collected. All of it is ciphertext. */
export class Publication {
  readonly #parts: PublishedParts;

  constructor(stateDirectory: string, client: KubeClient | undefined) {
    const place = { folder: 'requests', label: REQUEST_LABEL, prefix: 'coffer-request' };
    this.#parts = new PublishedParts({ stateDirectory, client, ...place });
  }

  /** What was published of a request by this or an earlier run. */
  async read(request: JoinRequest): Promise<Fulfilment | undefined> {
    const parts = await this.#parts.read(request.id);
    try {
      return parts.length === 0 ? undefined : readFulfilment(parts, request);
    } catch (error) {
      // It is made anew.
      if (error instanceof CofferError) return undefined;
      throw error;
    }
  }

  async write(fulfilment: Fulfilment): Promise<void> {
    await this.#parts.write(fulfilment.request, fulfilmentParts(fulfilment));
  }

  /** Takes away what belongs to no request of these. */
  async keepOnly(ids: ReadonlySet<string>): Promise<void> {
    await this.#parts.keepOnly(ids);
  }
}
