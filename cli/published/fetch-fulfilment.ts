import { CofferError } from '../../core/errors.ts';
import { type Fulfilment, readFulfilment } from '../../core/requests/fulfilment.ts';
import { REQUEST_LABEL } from '../../core/requests/published.ts';
import type { JoinRequest } from '../../core/requests/request.ts';
import { publishedParts } from './parts.ts';
import type { PublishedPlace } from './place.ts';

/** What an operator made of a request: see `publishedParts`. Throws FULFILMENT_*, CLUSTER_*, FILE_SYSTEM. */
export async function fetchFulfilment(request: JoinRequest, place: PublishedPlace): Promise<Fulfilment> {
  const parts = await publishedParts(REQUEST_LABEL, request.id, place);
  if (parts.length > 0) return readFulfilment(parts, request);
  throw new CofferError(
    'FULFILMENT_NONE',
    `the operator of ${request.like} has made no stanzas for ${request.recipient} yet`,
    {
      advice: `Push the request, and see that its pins hold ${request.recipient}; its status says what it waits for.`,
      data: { recipient: request.recipient, name: request.id },
      exit: 1,
    },
  );
}
