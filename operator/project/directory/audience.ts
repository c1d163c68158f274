import type { Manifest } from '../../../core/format/manifest/manifest.ts';
import { reaches } from '../../../core/format/manifest/reach.ts';
import { entriesFor } from '../../../core/format/manifest/readers.ts';
import type { Audience } from '../projector.ts';
import type { Workload } from './workload.ts';

/** Which of these workloads get which entries: those of a namespace that the manifest reaches, as its readers allow. */
export function audienceOf(manifest: Manifest, workloads: Iterable<Workload>): Audience[] {
  const audience: Audience[] = [];
  for (const { id, namespace, name } of workloads) {
    if (!reaches(manifest, namespace)) continue;
    const entries = entriesFor(manifest, name);
    if (entries.size > 0) audience.push({ workload: id, entries });
  }
  return audience;
}
