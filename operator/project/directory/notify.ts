import { spawn } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { LONGEST_TIMER, milliseconds } from '../../../core/duration.ts';
import { CofferError } from '../../../core/errors.ts';
import { systemCode } from '../folder/open-folder.ts';
import type { OwedNotifications } from './owed-notifications.ts';
import type { Workload } from './workload.ts';

const DEFAULT_TIMEOUT = '30s';
/** Commands that run at the same time. */
const AT_ONCE = 4;

/** Tells workloads that their entries changed: by a command or a signal, neither of which carries a value. */
export class Notifier {
  readonly #workloads: ReadonlyMap<string, Workload>;
  readonly #owed: OwedNotifications;
  readonly #stop = new AbortController();
  /** Those that are being told: nobody is told twice at a time. */
  readonly #telling = new Map<string, Promise<CofferError | undefined>>();

  constructor(workloads: ReadonlyMap<string, Workload>, owed: OwedNotifications) {
    this.#workloads = workloads;
    this.#owed = owed;
    for (const [workload, count] of owed.list()) {
      if (workloads.get(workload)?.onChange === undefined) owed.settle(workload, count);
    }
  }

  /** To be called before a change, which must not be made where this throws: CofferError `STATE_UNWRITABLE`. */
  owe(workload: Workload): void {
    if (workload.onChange === undefined) return;
    try {
      this.#owed.add(workload.id);
    } catch (error) {
      throw new CofferError('STATE_UNWRITABLE', 'A pending notification could not be written to the state directory.', {
        advice:
          'Make room in the state directory, and see that the operator may write there; until then nothing changes.',
        loop: 'retry',
        cause: error,
      });
    }
  }

  /** To be called when the change that `owe` announced was not made. */
  takeBack(workload: Workload): void {
    if (workload.onChange !== undefined) this.#owed.takeBack(workload.id);
  }

  /**
   * Tells every workload that is owed. Returns the failures; those workloads stay owed. Calls may overlap.
   *
   * @param signal ends commands that run and begins no others; whoever was not told stays owed
   */
  async deliver(signal?: AbortSignal): Promise<CofferError[]> {
    const failures: CofferError[] = [];
    const queue = this.#owed.list().map(([id]) => id);
    const stop = signal === undefined ? this.#stop.signal : AbortSignal.any([this.#stop.signal, signal]);
    const worker = async () => {
      for (let next = queue.shift(); next !== undefined && !stop.aborted; next = queue.shift()) {
        const failure = await (this.#telling.get(next) ?? this.#beginToTell(next, stop));
        if (failure !== undefined && !stop.aborted) failures.push(failure);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return failures;
  }

  /** Ends commands that still run; their workloads stay owed. */
  close(): void {
    this.#stop.abort();
  }

  #beginToTell(id: string, stop: AbortSignal): Promise<CofferError | undefined> {
    const telling = this.#tellUntilSettled(id, stop).finally(() => this.#telling.delete(id));
    this.#telling.set(id, telling);
    return telling;
  }

  /** Changed again while it was told of the change before: once more. */
  async #tellUntilSettled(id: string, stop: AbortSignal): Promise<CofferError | undefined> {
    for (let count = this.#owed.count(id); count > 0; count = this.#owed.count(id)) {
      const failure = await this.#tell(id, stop);
      if (failure !== undefined) return failure;
      if (this.#owed.settle(id, count)) return undefined;
    }
    return undefined;
  }

  async #tell(id: string, stop: AbortSignal): Promise<CofferError | undefined> {
    const workload = this.#workloads.get(id);
    const { command, signal, timeout = DEFAULT_TIMEOUT } = workload?.onChange ?? {};
    try {
      if (command !== undefined) await run(command, id, milliseconds(timeout), stop);
      if (signal !== undefined && workload !== undefined) await send(signal, workload);
      return undefined;
    } catch (error) {
      if (error instanceof CofferError) return error.at({ workload: id });
      if (systemCode(error) === undefined) throw error;
      return failed(`could not be run (${systemCode(error)})`, { workload: id });
    }
  }
}

function failed(how: string, data: { workload: string; path?: string }): CofferError {
  return new CofferError('NOTIFY_FAILED', `The notification of ${data.workload} ${how}.`, {
    advice:
      'Correct onChange of this workload or what it runs. The files are up to date; the notification is tried again.',
    data,
    loop: 'retry',
  });
}

/** Without a shell, in a process group of its own, so that a timeout ends its children too. Its output is not kept. */
function run(command: readonly string[], workload: string, timeout: number, stop: AbortSignal): Promise<void> {
  const [program = '', ...args] = command;
  const environment = { PATH: process.env.PATH ?? '/usr/bin:/bin', COFFER_WORKLOAD: workload };
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const child = spawn(program, args, { detached: true, stdio: 'ignore', cwd: '/', env: environment });
  const kill = () => {
    const isRunning = child.exitCode === null && child.signalCode === null;
    if (child.pid !== undefined && isRunning) process.kill(-child.pid, 'SIGKILL');
  };
  const timer = setTimeout(kill, Math.min(timeout, LONGEST_TIMER));
  stop.addEventListener('abort', kill);
  if (stop.aborted) kill();
  child.on('error', reject);
  child.on('exit', (code, signal) => {
    if (code === 0) resolve();
    else reject(failed(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`, { workload }));
  });
  return promise.finally(() => {
    clearTimeout(timer);
    stop.removeEventListener('abort', kill);
  });
}

async function send(signal: { name: string; pidFile: string }, { id, holder }: Workload): Promise<void> {
  const place = { workload: id, path: signal.pidFile };
  const text = (await readFile(signal.pidFile, 'utf8')).trim();
  const pid = /^[1-9][0-9]{0,9}$/.test(text) ? Number(text) : 0;
  if (pid <= 1) throw failed('found no process id in its pid file', place);
  // Whoever writes the pid file must not make a privileged operator signal other people's processes.
  const { uid } = await stat(`/proc/${pid}`);
  if (uid !== holder.uid) throw failed(`found in its pid file a process of user ${uid}, not ${holder.uid}`, place);
  process.kill(pid, signal.name as NodeJS.Signals);
}
