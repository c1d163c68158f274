import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CofferError } from '../errors.ts';

export interface Lock {
  release(): void;
}

const SQLITE_BUSY = 5;
/** Strongly held: a database that is garbage collected is closed, and its lock gone. */
const held = new Set<DatabaseSync>();

/**
 * Makes this process the only one that works in `directory` until `release`, or throws CofferError `DIRECTORY_IN_USE`.
 *
 * Node has no flock. SQLite, which it carries, takes a POSIX record lock on an (always empty) file and holds it while a
 * transaction is open: the kernel gives it back when the process ends, however it ends, it also holds between containers
 * that share the directory, and nobody without access to the directory can take it. Neither is true of a pid file or of
 * an abstract socket.
 */
export function lockDirectory(directory: string, file: string, what: string): Lock {
  const path = join(directory, file);
  closeSync(openSync(path, 'a', 0o600));
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (!(error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY)) throw error;
    throw new CofferError('DIRECTORY_IN_USE', `Another operator works in ${what} ${directory}.`, {
      advice: 'Stop the other operator, or give this one directories of its own.',
      data: { path: directory },
      loop: 'stop',
    });
  }
  held.add(database);
  return {
    release: () => {
      if (held.delete(database)) database.close();
    },
  };
}
