import { mkdir } from 'node:fs/promises';
import { type AuditLog, openAuditLog } from '../core/audit/log.ts';
import { Bug, CofferError, type ErrorOptions } from '../core/errors.ts';
import { lockDirectory } from '../core/files/lock.ts';
import { readKeyDirectory } from '../core/keys/key-directory.ts';
import { readPinsFile } from '../core/keys/pins.ts';
import type { Closing } from './closing.ts';
import type { OperatorSettings } from './config/settings.ts';
import { openDirectoryProjector } from './project/directory.ts';
import type { Projector } from './project/projector.ts';
import { openReconciler, type Reconciler } from './reconcile/reconciler.ts';
import { openGitSource } from './source/git-source.ts';
import type { Source } from './source/source.ts';

/** How each room of the pipeline is opened from the settings; `closing` learns how to close it. All throw CofferError. */

/** Before anything is touched: an operator without usable keys or pins can do nothing right. */
export async function checkKeys({ keys, pinsFile }: OperatorSettings): Promise<void> {
  await readPinsFile(pinsFile);
  const { problems, wipe } = await readKeyDirectory(directoryOf(keys));
  wipe();
  const [problem] = problems;
  if (problem !== undefined) throw problem;
}

function directoryOf(keys: OperatorSettings['keys']): string {
  if (keys.kind !== 'directory') throw new Bug('keys of this kind are not read yet');
  return keys.directory;
}

const STATE = 'the state directory';

/** Two operators on one state would undo each other's work. */
export async function lockState({ stateDirectory, auditDirectory }: OperatorSettings, closing: Closing): Promise<void> {
  for (const [directory, file, what] of [
    [stateDirectory, 'operator.lock', STATE],
    [auditDirectory, 'audit.lock', 'the audit directory'],
  ] as const) {
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      closing.add(lockDirectory(directory, file, what), (lock) => lock.release());
    } catch (error) {
      throw unwritable(error, directory, what);
    }
  }
}

function unwritable(cause: unknown, directory: string, what: string): unknown {
  if (cause instanceof CofferError || !(cause instanceof Error && 'code' in cause)) return cause;
  const message = `The operator cannot write in ${what} ${directory} (${String(cause.code)}).`;
  const options: ErrorOptions = {
    advice: 'Make the directory writable for the user that the operator runs as, or configure another.',
    data: { path: directory },
    loop: 'stop',
    cause,
  };
  return what === STATE
    ? new CofferError('STATE_UNWRITABLE', message, options)
    : new CofferError('AUDIT_UNWRITABLE', message, options);
}

export async function openRecord({ auditDirectory, cluster }: OperatorSettings, closing: Closing): Promise<AuditLog> {
  const audit = closing.add(await openAuditLog(auditDirectory, { now: () => new Date() }), (log) => log.close());
  await audit.append([{ event: 'operator.started', cluster }]);
  return closing.add(audit, (log) => log.append([{ event: 'operator.stopped', cluster }]));
}

export async function openSources({ sources, stateDirectory }: OperatorSettings, closing: Closing): Promise<Source[]> {
  const opened: Source[] = [];
  for (const { git } of sources) {
    opened.push(closing.add(await openGitSource(git, stateDirectory), (source) => source.close()));
  }
  return opened;
}

export async function openProjectors(
  { directories, cluster, stateDirectory }: OperatorSettings,
  environment: NodeJS.ProcessEnv,
  closing: Closing,
): Promise<Projector[]> {
  const opened: Projector[] = [];
  for (const projection of directories) {
    const projector = await openDirectoryProjector(projection, { cluster, stateDirectory, environment });
    opened.push(closing.add(projector, (toClose) => toClose.close()));
  }
  return opened;
}

export interface Neighbours {
  sources: readonly Source[];
  projectors: readonly Projector[];
  audit: AuditLog;
  /** Ends the reconciler's work. */
  signal: AbortSignal;
}

export async function openReconcilerBetween(
  { sources, projectors, audit, signal }: Neighbours,
  { cluster, stateDirectory, keys, maxShare, directories }: OperatorSettings,
  closing: Closing,
): Promise<Reconciler> {
  const workloads = directories.flatMap((directory) => directory.workloads);
  const namespaces = [...new Set(workloads.map(({ name }) => name.split('/')[0] ?? ''))];
  const secretKeys = () => readKeyDirectory(directoryOf(keys));
  const reconciler = await openReconciler({
    cluster,
    stateDirectory,
    sources,
    projectors,
    namespaces: { names: () => namespaces },
    secretKeys,
    audit,
    maxShare,
    signal,
  });
  return closing.add(reconciler, (opened) => opened.close());
}
