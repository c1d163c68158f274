import { createHash, randomUUID } from 'node:crypto';
import type { AuditLog } from '../../core/audit/log.ts';
import type { AuditAction, IntentRecord } from '../../core/audit/record.ts';
import { CofferError } from '../../core/errors.ts';
import { type Manifest, sealedText } from '../../core/format/manifest/manifest.ts';
import type { SecretKeys } from '../../core/keys/key-directory.ts';
import { openingKeys, openManifest, refusePlaintext } from '../../core/opening/open-manifest.ts';
import { keyOf } from '../project/namespaced-name.ts';
import type { Accepted } from '../source/source.ts';
import type { State } from './state/state.ts';
import type { Board } from './status/board.ts';
import { Openers } from './work/openers.ts';
import { acceptedOf, commitOf, failureRecord, keysOf, outcomeRecord } from './work/projection.ts';
import type { Chosen, Selection } from './work/selection.ts';

export interface ReadRequest {
  namespace: string;
  name: string;
  /** Which entries (of `data` and `template.data`) the manifest lets the asker have; none: nothing is opened. */
  entries(manifest: Manifest): ReadonlySet<string>;
  /** What the asker has: the same version is not opened again. */
  knownVersion?: string;
  /** Awaited before the record, where something is about to be opened: the last look whether that may be. What it throws is thrown. */
  confirm?(): Promise<void>;
  /** Who asks, and why. */
  record: Partial<IntentRecord> & { action: AuditAction };
}

export interface UnchangedReading {
  version: string;
  unchanged: true;
}

export interface OpenedReading {
  /** A digest of ciphertext, templates and entry names; it tells nothing of values. */
  version: string;
  unchanged?: false;
  values: ReadonlyMap<string, Buffer>;
  /** The commit that brought the manifest; absent where none did. */
  commit?: string;
  keyIds: readonly string[];
  /** Zeroes the values. */
  wipe(): void;
}

export type Reading = UnchangedReading | OpenedReading;

export interface ReadingParts {
  cluster: string;
  secretKeys(): Promise<SecretKeys>;
  audit: AuditLog;
  state: State;
  board: Board;
  selection: Selection;
}

/**
 * Opens for somebody who asks what a secret's manifest gives: the newest, or the last good one while something is wrong with
 * that. The record that somebody asked is on disk before anything is opened, and how it ended is before anything is given.
 * Throws `SECRET_UNKNOWN`, `AUDIT_UNWRITABLE`, and what opening throws.
 */
export async function readSecret(request: ReadRequest, parts: ReadingParts): Promise<Reading> {
  const { audit, cluster, secretKeys } = parts;
  const chosen = await choose(request, parts);
  const entries = request.entries(chosen.manifest);
  const version = versionOf(chosen.manifest, entries);
  if (version === request.knownVersion) return { version, unchanged: true };
  await request.confirm?.();
  const openers = new Openers(cluster, secretKeys);
  try {
    refusePlaintext(chosen.manifest);
    const opener = await openers.of(chosen.source);
    const keys = keysOf(openingKeys(chosen.manifest, opener, entries));
    const intent: IntentRecord = { ...intentOf(chosen, request, cluster), entries: [...entries].sort(), ...keys };
    await audit.append([intent]);
    const opened = await recorded(intent, audit, () => openManifest(chosen.manifest, opener, entries));
    try {
      await audit.append([{ ...outcomeRecord(intent), outcome: 'read' }]);
    } catch (error) {
      opened.wipe();
      throw error;
    }
    const { commit } = chosen.version;
    return {
      version,
      values: opened.values,
      keyIds: keys.keyIds,
      ...(commit === '' ? {} : { commit }),
      wipe: opened.wipe,
    };
  } finally {
    await openers.wipe();
  }
}

/** `accepted`: the state that has it; absent: an earlier one had it. */
type Reached = Chosen & { accepted: Accepted | undefined };

async function choose({ namespace, name }: ReadRequest, { state, board, selection }: ReadingParts): Promise<Reached> {
  const home = state.get(keyOf(namespace, name))?.home;
  if (home === undefined) throw unknown(namespace, name);
  const newest = selection.newest(home);
  const good = state.get(home)?.good;
  // What is projected is what everybody gets: while the newest manifest fails, the one before.
  const version = good !== undefined && board.failures().has(home) ? good : (newest ?? good);
  if (version === undefined) throw unknown(namespace, name);
  const chosen = await selection.read(home, version);
  return { ...chosen, accepted: version === newest ? chosen.source.accepted : undefined };
}

function intentOf(
  { version, manifest, accepted }: Reached,
  { record, ...asked }: ReadRequest,
  cluster: string,
): IntentRecord {
  return {
    ...record,
    event: 'secret.intent',
    operation: randomUUID(),
    cluster,
    namespace: asked.namespace,
    name: asked.name,
    source: version.source,
    ...commitOf(version),
    ...acceptedOf(accepted),
    path: manifest.file,
  };
}

async function recorded<Result>(intent: IntentRecord, audit: AuditLog, open: () => Result): Promise<Result> {
  try {
    return open();
  } catch (error) {
    if (error instanceof CofferError) await audit.append([failureRecord(intent, error)]);
    throw error;
  }
}

/** Another one whenever the values of these entries may be others; the same over restarts. */
function versionOf(manifest: Manifest, entries: ReadonlySet<string>): string {
  const asked = [...entries].sort();
  // Of plaintext there is no version: it is refused.
  const textOf = (name: string) => sealedText(manifest, name) ?? '';
  const parts = asked.map((name) => manifest.template.data.get(name) ?? textOf(name));
  const isTemplated = asked.some((name) => manifest.template.data.has(name));
  const behind = isTemplated ? [...manifest.entries.keys()].sort().map((name) => [name, textOf(name)]) : [];
  return createHash('sha256')
    .update(JSON.stringify([asked, parts, behind]))
    .digest('hex');
}

function unknown(namespace: string, name: string): CofferError {
  return new CofferError('SECRET_UNKNOWN', `there is no secret ${namespace}/${name} for this cluster`, {
    advice: 'Correct the name, or commit a manifest that is sealed to this cluster.',
    data: { namespace, name },
  });
}
