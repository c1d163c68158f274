/**
 * Imported into the process of each test file: ends one that still runs long after its tests must have, and says what holds it.
 * The runner's own limit is for tests and hooks; it waits for ever for a process in which something stays open.
 */
import { relative } from 'node:path';

/** Four times what the longest file takes on two cores. */
const LIMIT_MS = 20 * 60 * 1000;

// The runner has it too, and runs for longer than any file.
if (process.env.NODE_TEST_CONTEXT) {
  const limit = setTimeout(() => {
    const file = relative(process.cwd(), process.argv[1] ?? '');
    const open = process.getActiveResourcesInfo().join(', ');
    console.error(`${file} still runs after ${LIMIT_MS / 60_000} minutes and was ended; open: ${open}`);
    process.exit(1);
  }, LIMIT_MS);
  limit.unref();
}
