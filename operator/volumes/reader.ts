import type { Reading, ReadRequest } from '../reconcile/reading.ts';

/** What this room asks of the reconciler. */
export interface Reader {
  /**
   * Opens what the owner's manifest of a name gives; the record is on disk before. Throws CofferError `SECRET_UNKNOWN`, and what
   * opening throws.
   */
  read(request: ReadRequest): Promise<Reading>;
}
