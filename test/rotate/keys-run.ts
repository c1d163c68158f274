/** A run of the operator's room that rotates its key, from what lies on disk until there is nothing more to do. */
import { join } from 'node:path';
import { openAuditLog } from '../../core/audit/open-log.ts';
import type { AuditRecord } from '../../core/audit/record.ts';
import { DirectoryKeyStore } from '../../operator/keys/directory-store.ts';
import { openPusher, type Pusher } from '../../operator/push/pusher.ts';
import { KeyRotation } from '../../operator/rotate/keys/key-rotation.ts';
import { openGitSource } from '../../operator/source/open-git-source.ts';

export interface Steps {
  /** Around what lasts, beside files. */
  step<Result>(work: () => Promise<Result>): Promise<Result>;
  /** From here on, or no longer, files count. */
  count(isCounted: boolean): void;
}

const UNCOUNTED: Steps = { step: (work) => work(), count: () => undefined };

/** `root` has `repository`, `keys`, `pins`, `state` and `audit`. Throws what stood in the way at the end. */
export async function runToEnd(root: string, { step, count }: Steps = UNCOUNTED): Promise<void> {
  const now = () => new Date();
  const never = new AbortController().signal;
  const log = { info: () => undefined, thrown: () => undefined };
  const cluster = 'production';
  const stateDirectory = join(root, 'state');
  const store = new DirectoryKeyStore(join(root, 'keys'), cluster);
  const git = { url: join(root, 'repository'), push: {} };
  const source = await openGitSource(git, stateDirectory);
  const audit = await openAuditLog(join(root, 'audit'), { cluster, now });
  const pusher = openPusher({ git, source, cluster, keys: store, stateDirectory, now, log });
  const push: Pusher['push'] = (...args) => step(() => pusher.push(...args));
  const rotation = new KeyRotation({
    ...{ cluster, stateDirectory, pinsFile: join(root, 'pins'), store, sources: [source], now, log, grace: 0 },
    audit: { append: (records: readonly AuditRecord[]) => step(() => audit.append(records)) },
    pushers: new Map([[source.id, { push, close: () => pusher.close() }]]),
    elsewhere: async () => [],
  });
  try {
    for (let look = 0; look < 2; look++) {
      await source.poll(never);
      count(true);
      await rotation.look();
      await rotation.settled();
      count(false);
    }
    const [trouble] = rotation.troubles();
    if (trouble !== undefined) throw trouble;
  } finally {
    await rotation.close();
    pusher.close();
    await audit.close();
    await source.close();
  }
}
