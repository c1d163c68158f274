import type { AuditLine } from '../../core/audit/record.ts';
import { verifyLog } from '../../core/audit/verify.ts';
import { CofferError } from '../../core/errors.ts';
import { RecordedComparisons } from '../../core/exposure/comparisons.ts';
import { identitiesFrom } from '../audit/identity-of.ts';
import { openLogs } from '../audit/open-logs.ts';

/**
 * What operators recorded of values that they compared, out of directories, URLs and bundles. A log counts when every record of it that
 * is there is as the identity of its cluster signed, and of it only what a checkpoint covers. That something is left out makes no value
 * count as changed. Throws EXPOSURE_LOG, and what `coffer audit verify` does: AUDIT_NO_LOG, AUDIT_IDENTITY_UNKNOWN.
 */
export async function readComparisons(
  places: readonly string[],
  identities: readonly string[],
): Promise<RecordedComparisons> {
  const compared = new RecordedComparisons();
  if (places.length === 0) return compared;
  const known = await identitiesFrom(identities);
  for (const { store, cluster, bundled } of await openLogs(places)) {
    const lines: AuditLine[] = [];
    const wanted = { event: 'value.compared', take: (line: AuditLine) => lines.push(line) } as const;
    const only = bundled === undefined ? {} : { only: { from: bundled.from, to: bundled.to } };
    const { findings } = await verifyLog(store, { identity: known.of(cluster).key, wanted, ...only });
    if (findings.length > 0) throw notAsSigned(store.place, findings);
    for (const line of lines) compared.add(line);
  }
  return compared;
}

function notAsSigned(place: string, findings: readonly { message: string }[]): CofferError {
  const more = findings.length > 1 ? ` (and ${findings.length - 1} more)` : '';
  return new CofferError('EXPOSURE_LOG', `The log is not as it was signed: ${findings[0]?.message ?? ''}${more}.`, {
    advice: 'Nothing that it says is believed: see `coffer audit verify`.',
    data: { path: place },
    exit: 1,
  });
}
