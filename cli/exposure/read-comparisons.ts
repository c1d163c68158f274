import { DirectoryStore } from '../../core/audit/directory-store.ts';
import { ORIGIN, parseCheckpoint } from '../../core/audit/note/checkpoint.ts';
import { NOTE_LIMIT } from '../../core/audit/note/signed-note.ts';
import type { AuditLine } from '../../core/audit/record.ts';
import type { LogStore } from '../../core/audit/store.ts';
import { verifyLog } from '../../core/audit/verify.ts';
import { CofferError } from '../../core/errors.ts';
import { RecordedComparisons } from '../../core/exposure/comparisons.ts';
import { parseIdentity } from '../../core/keys/key-texts.ts';
import { openWorkspace, type Workspace } from '../workspace/workspace.ts';

/**
 * What operators recorded of values that they compared. A log counts when every record of it is as the identity signed that is pinned
 * for its cluster, and of it only what a checkpoint covers. Throws EXPOSURE_LOG_UNSIGNED, EXPOSURE_LOG_NOT_PINNED, EXPOSURE_LOG.
 */
export async function readComparisons(folder: string, places: readonly string[]): Promise<RecordedComparisons> {
  const compared = new RecordedComparisons();
  if (places.length === 0) return compared;
  const workspace = await openWorkspace(folder);
  for (const place of places) {
    const store = new DirectoryStore(place);
    const identity = identityFor(workspace, await clusterOf(store), place);
    const lines: AuditLine[] = [];
    const wanted = { event: 'value.compared', take: (line: AuditLine) => lines.push(line) } as const;
    const { findings } = await verifyLog(store, { identity, wanted });
    if (findings.length > 0) throw notAsSigned(place, findings);
    for (const line of lines) compared.add(line);
  }
  return compared;
}

async function clusterOf(store: LogStore): Promise<string> {
  const checkpoint = (await store.read('checkpoint', NOTE_LIMIT))?.toString();
  const cluster = checkpoint === undefined ? undefined : ORIGIN.exec(parseCheckpoint(checkpoint).origin)?.[1];
  if (cluster !== undefined) return cluster;
  throw new CofferError('EXPOSURE_LOG_UNSIGNED', `there is no signed audit log in ${store.place}`, {
    advice: 'Give the folder of an operator’s log, or a bundle that `coffer audit bundle` made.',
    data: { path: store.place },
  });
}

function identityFor({ pins }: Workspace, cluster: string, place: string): Buffer {
  const identity = pins.identityOf(cluster);
  if (identity !== undefined) return parseIdentity(identity);
  throw new CofferError(
    'EXPOSURE_LOG_NOT_PINNED',
    `the log is of the cluster ${JSON.stringify(cluster)}, whose identity you have not pinned`,
    {
      advice: `Compare it with the owner of the cluster: \`coffer recipients pin ${cluster}\`; in CI a file of pins in COFFER_PINS.`,
      data: { path: place, recipient: cluster },
    },
  );
}

function notAsSigned(place: string, findings: readonly { message: string }[]): CofferError {
  const more = findings.length > 1 ? ` (and ${findings.length - 1} more)` : '';
  return new CofferError('EXPOSURE_LOG', `the log is not as it was signed: ${findings[0]?.message ?? ''}${more}`, {
    advice: 'Nothing that it says is believed: see `coffer audit verify`.',
    data: { path: place },
    exit: 1,
  });
}
