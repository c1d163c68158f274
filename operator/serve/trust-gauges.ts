import { Gauge, type Registry } from 'prom-client';
import type { SourceStatus } from '../status/status.ts';

/** Where nobody remembers a look that succeeded, age counts from here. By `Date.now()`. */
const BEGIN = Date.now();

/** How old what a source has is, and what of it is refused. */
export function trustGauges(registers: Registry[]): (sources: readonly SourceStatus[]) => void {
  const gauge = (name: string, help: string) => new Gauge({ name, help, labelNames: ['source'], registers });
  const age = gauge(
    'coffer_source_seconds_since_success',
    'Since a source was last looked at with success, or since the start',
  );
  const stale = gauge('coffer_source_stale', '1 where no look succeeded for longer than staleAfter');
  const quiet = gauge('coffer_source_quiet', '1 where nothing new came for longer than quietAfter');
  const refused = gauge('coffer_source_refused', '1 where the newest commit is not taken');
  const held = gauge('coffer_held_paths', 'Files whose newest version is not taken');
  return (sources) => {
    for (const { id, lastSuccess, staleSince, quietSince, trouble, refused: paths } of sources) {
      const labels = { source: id };
      age.set(labels, (Date.now() - (lastSuccess === undefined ? BEGIN : Date.parse(lastSuccess))) / 1000);
      stale.set(labels, staleSince === undefined ? 0 : 1);
      quiet.set(labels, quietSince === undefined ? 0 : 1);
      refused.set(labels, trouble?.data.commit === undefined ? 0 : 1);
      held.set(labels, new Set(paths.map(({ path }) => path)).size);
    }
  };
}
