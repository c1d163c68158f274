import type { OperatorSettings } from '../config/settings.ts';
import type { Closing } from '../process/closing.ts';
import type { Log } from '../process/log.ts';
import type { Status } from '../status/status.ts';
import { Health } from './health.ts';
import { serve } from './http.ts';
import { createMetrics, type Metrics } from './metrics.ts';

/** What the process shows of itself over HTTP. A standby does, too, before there is anything but its health. */
export interface Front {
  health: Health;
  metrics: Metrics;
  /** Set as soon as there is something to show. */
  status: () => Status;
  /** Looks at this source soon, or at everything; set as soon as there is something to wake. */
  wake: (source?: string) => void;
}

export function prepareFront(version: string): Front {
  const front: Front = {
    health: new Health(),
    metrics: createMetrics(version, () => front.status()),
    status: () => ({ sources: [], secrets: [], problems: [] }),
    wake: () => {},
  };
  return front;
}

/** Throws CofferError `SERVE_ADDRESS`. */
export async function openFront(front: Front, { listen }: OperatorSettings, log: Log, closing: Closing): Promise<void> {
  const { health, metrics } = front;
  const server = await serve({
    ...listen,
    isAlive: () => health.isAlive(),
    isReady: () => health.isReady(),
    status: () => front.status(),
    metrics: () => metrics.render(),
    wake: () => front.wake(),
    failed: (error) => log.thrown(error),
  });
  closing.add(server, (opened) => opened.close());
  log.info('listening', { address: server.address });
}
