import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DirectoryStore } from '../../core/audit/directory-store.ts';
import { ORIGIN, parseCheckpoint } from '../../core/audit/note/checkpoint.ts';
import { NOTE_LIMIT } from '../../core/audit/note/signed-note.ts';
import type { LogStore } from '../../core/audit/store.ts';
import { CofferError } from '../../core/errors.ts';
import { readUpTo } from '../../core/files/read-up-to.ts';
import { BUNDLE_FILE, BUNDLE_FILE_LIMIT, type BundledLog, invalid, parseBundle } from './bundle-file.ts';
import { UrlStore } from './url-store.ts';

/** What lies in the directory of a log, and in no bundle. */
const OWN = ['origin', 'checkpoint', 'journal', 'tile'];

/** A log that `--log` names, or one of those in a bundle. */
export interface OpenedLog {
  store: LogStore;
  origin: string;
  cluster: string;
  /** Of a bundle: the records whose text it brings along, and the identity that whoever made it believed in. */
  bundled?: BundledLog;
}

/** Opens what `--log` names: a log's directory, the URL of one, or a bundle. Throws CofferError `AUDIT_NO_LOG`, `AUDIT_URL`, `AUDIT_BUNDLE_INVALID`. */
export async function openLogs(places: readonly string[]): Promise<OpenedLog[]> {
  const opened: OpenedLog[] = [];
  for (const place of places) opened.push(...(await openPlace(place)));
  return opened;
}

async function openPlace(place: string): Promise<OpenedLog[]> {
  if (/^https?:\/\//.test(place)) return [await openStore(new UrlStore(place))];
  const bundle = await readUpTo(join(place, BUNDLE_FILE), BUNDLE_FILE_LIMIT, () => invalid(place, 'is too large'));
  if (bundle === undefined) return [await openStore(new DirectoryStore(place))];
  // Else whoever owns the disk of a log could say by such a file which of its records have to be there.
  for (const name of OWN) if (existsSync(join(place, name))) throw invalid(place, `lies beside the ${name} of a log`);
  const logs = parseBundle(bundle.toString(), place);
  return await Promise.all(
    logs.map(async (log) => ({ ...(await openStore(new DirectoryStore(join(place, log.folder)))), bundled: log })),
  );
}

async function openStore(store: LogStore): Promise<OpenedLog> {
  const origin = await originOf(store);
  const [, cluster] = ORIGIN.exec(origin) ?? [];
  if (cluster !== undefined) return { store, origin, cluster };
  throw new CofferError('AUDIT_NO_LOG', `There is no audit log in ${store.place}.`, {
    advice:
      'Give the directory that the configuration of the operator names under audit, the URL of its /audit/, or a bundle.',
    data: { path: store.place },
  });
}

/** By the file of that name, else by the checkpoint: others who serve a log may serve no more. */
async function originOf(store: LogStore): Promise<string> {
  const name = await store.read('origin', NOTE_LIMIT);
  if (name !== undefined) return name.toString().trimEnd();
  const checkpoint = await store.read('checkpoint', NOTE_LIMIT);
  return checkpoint === undefined ? '' : parseCheckpoint(checkpoint.toString()).origin;
}
