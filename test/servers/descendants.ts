import { readdirSync, readFileSync } from 'node:fs';
import { isSystemError } from '../../core/files/system-error.ts';

export interface RunningProcess {
  pid: number;
  parent: number;
  session: number;
}

/** A process and every one below it. Fields 4 and 6 of proc_pid_stat(5), of which the name is the second, are parent and session. */
export function withDescendants(pid: number): RunningProcess[] {
  const rows = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => {
      const [, parent = 0, , session = 0] = statOf(name)
        .replace(/^.*\) /s, '')
        .split(' ')
        .map(Number);
      return { pid: Number(name), parent, session };
    });
  const below = (of: number): RunningProcess[] =>
    rows.filter(({ parent }) => parent === of).flatMap((row) => [row, ...below(row.pid)]);
  return [...rows.filter((row) => row.pid === pid), ...below(pid)];
}

/** A negative one is a group's. */
export function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It ended by itself meanwhile.
    if (!isSystemError(error, 'ESRCH')) throw error;
  }
}

/** Empty: it ended meanwhile. */
function statOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ESRCH')) return '';
    throw error;
  }
}
