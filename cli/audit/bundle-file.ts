import { ORIGIN } from '../../core/audit/note/checkpoint.ts';
import { CofferError } from '../../core/errors.ts';
import { parseJson } from '../../core/json.ts';

/** What a bundle for an auditor says of itself; nobody signs it, so it is a table of contents and no more. */
export const BUNDLE_FILE = 'bundle.json';
/** Of it, in bytes: a thousand logs take a third of it. */
export const BUNDLE_FILE_LIMIT = 1024 * 1024;

/** One log in a bundle. */
export interface BundledLog {
  origin: string;
  /** Below the bundle. */
  folder: string;
  /** Records whose text is there; their hashes are there for all. `to` less than `from`: none. */
  from: number;
  to: number;
  /** `coffer-identity-1-…`, as whoever made the bundle believed it. */
  identity: string;
}

export function bundleText(logs: readonly BundledLog[], from: string, to: string): string {
  return `${JSON.stringify({ format: 'coffer.dev/audit-bundle/v1', from, to, logs }, null, 2)}\n`;
}

/** `logs/LOGID`: made of the origin, so that no bundle leads out of itself. */
export function folderOf(origin: string): string {
  return `logs/${ORIGIN.exec(origin)?.[2] ?? ''}`;
}

/** Throws CofferError `AUDIT_BUNDLE_INVALID`. */
export function parseBundle(text: string, place: string): BundledLog[] {
  const logs: unknown = Object(parseJson(text)).logs;
  // None at all would verify, whatever became of them.
  if (!Array.isArray(logs) || logs.length === 0 || logs.length > 1000) throw invalid(place, 'names no logs');
  return logs.map((log: unknown) => {
    const { origin, from, to, identity } = Object(log);
    const isWhole = typeof origin === 'string' && ORIGIN.test(origin) && typeof identity === 'string';
    if (!isWhole || !Number.isSafeInteger(from) || !Number.isSafeInteger(to)) throw invalid(place, 'is not readable');
    return { origin, folder: folderOf(origin), from, to, identity };
  });
}

export function invalid(place: string, why: string): CofferError {
  return new CofferError('AUDIT_BUNDLE_INVALID', `The ${BUNDLE_FILE} of ${place} is not that of a bundle: it ${why}.`, {
    advice: 'Take the folder as coffer audit bundle wrote it.',
    data: { path: place },
    exit: 1,
  });
}
