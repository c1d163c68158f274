import { DirectoryStore } from '../../core/audit/directory-store.ts';
import type { OperatorSettings } from '../config/settings.ts';
import type { Closing } from '../process/closing.ts';
import type { Log } from '../process/log.ts';
import type { Status } from '../status/status.ts';
import type { AuditState } from './audit-gauges.ts';
import { Health } from './health.ts';
import { serve } from './http.ts';
import { createMetrics, type Metrics } from './metrics.ts';

/** Bytes of one file of the log: a bundle has 256 records of at most 64 KiB. */
const LARGEST_FILE = 32 * 1024 * 1024;

/** What the process shows of itself over HTTP. A standby does, too, before there is anything but its health. */
export interface Front {
  health: Health;
  metrics: Metrics;
  /** Set as soon as there is something to show. */
  status: () => Status;
  /** Set by `recordOn` as soon as there is a log. */
  audit: () => AuditState | undefined;
  /** Looks at this source soon, or at everything; set as soon as there is something to wake. */
  wake: (source?: string) => void;
}

export function prepareFront(version: string): Front {
  const front: Front = {
    health: new Health(),
    metrics: createMetrics(version, { status: () => front.status(), audit: () => front.audit() }),
    status: () => ({ sources: [], secrets: [], problems: [] }),
    audit: () => undefined,
    wake: () => {},
  };
  return front;
}

/** From now on it shows how the record is doing, and is ready only while that can be written, or a person lets it go on without. */
export function recordOn(front: Front, log: AuditState): void {
  front.audit = () => log;
  front.health.isRecorded = () => log.isWritable || log.isOverridden;
}

/** Throws CofferError `SERVE_ADDRESS`. */
export async function openFront(
  front: Front,
  { cluster, listen, audit }: OperatorSettings,
  log: Log,
  closing: Closing,
): Promise<void> {
  const { health, metrics } = front;
  const store = new DirectoryStore(audit.directory);
  const server = await serve({
    ...listen,
    isAlive: () => health.isAlive(),
    isReady: () => health.isReady(),
    // Whoever asks where a commit is has to know whose secrets to look for, before there are any.
    status: () => ({ cluster, ...front.status() }),
    metrics: () => metrics.render(),
    audit: (path) => store.read(path, LARGEST_FILE),
    wake: () => front.wake(),
    failed: (error) => log.thrown(error),
  });
  closing.add(server, (opened) => opened.close());
  log.info('listening', { address: server.address });
}
