/**
 * Imported into the process of each test file: ends one that still runs long after its tests must have, and says what holds it.
 * The runner's own limit is for tests and hooks; it waits for ever for a process in which something stays open, and for whoever
 * else has that process's output.
 */
import { relative } from 'node:path';

/** Eight times what the longest file takes on two cores, in milliseconds; less only where this itself is tested. */
const LIMIT_MS = Number(process.env.COFFER_TEST_FILE_LIMIT ?? 40 * 60 * 1000);

/** Not those that began a session of their own, which leave the output alone and clear up what a process leaves. */
async function endChildren(): Promise<void> {
  const { killIfThere, withDescendants } = await import('../servers/descendants.ts');
  const [own, ...children] = withDescendants(process.pid);
  for (const { pid, session } of children) if (session === own?.session) killIfThere(pid);
}

// The runner has it too, and runs for longer than any file.
if (process.env.NODE_TEST_CONTEXT) {
  const limit = setTimeout(() => {
    const file = relative(process.cwd(), process.argv[1] ?? '');
    const open = process.getActiveResourcesInfo().join(', ');
    console.error(`${file} still runs after ${LIMIT_MS / 60_000} minutes and was ended; open: ${open}`);
    endChildren().finally(() => process.exit(1));
  }, LIMIT_MS);
  limit.unref();
}
