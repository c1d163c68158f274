import { nothingFor } from '../../../core/errors.ts';
import { findExposure } from '../../../core/exposure/find-exposure.ts';
import { readClone } from '../../exposure/clone-history.ts';
import { titleOf } from '../manifest-files.ts';

/** What a key could open: an entry, whatever values it had. */
export interface Readable {
  /** `NAMESPACE/NAME`. */
  manifest: string;
  entry: string;
  /** Of all files that had it. */
  paths: readonly string[];
}

/**
 * What some keys could ever open, of all commits that the clone has. Undefined where there is no history to tell from, or only a
 * part of it: `coffer exposure` says what is missing.
 */
export async function readableBy(root: string, kids: ReadonlySet<string>): Promise<Readable[] | undefined> {
  const history = await readClone(root, { isPartial: false }).catch(nothingFor());
  if (history === undefined) return undefined;
  try {
    const { records, heads } = history;
    const current = [await history.repository.resolve('HEAD')];
    const { values } = await findExposure(records, { select: { kind: 'keys', kids }, current, heads });
    const found = new Map<string, Readable>();
    for (const { paths, ...value } of values) {
      const [manifest, { entry }] = [titleOf(value), value];
      const known = found.get(`${manifest}\0${entry}`)?.paths ?? [];
      found.set(`${manifest}\0${entry}`, { manifest, entry, paths: [...new Set([...known, ...paths])].toSorted() });
    }
    return [...found.values()].toSorted((one, other) => (key(one) < key(other) ? -1 : 1));
  } finally {
    history.repository.close();
  }
}

function key({ manifest, entry }: Readable): string {
  return `${manifest}\0${entry}`;
}
