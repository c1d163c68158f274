import type { Comparisons, ExposureReport, Selection } from '../../core/exposure/exposure.ts';
import { findExposure } from '../../core/exposure/find-exposure.ts';
import { timeFrom } from '../input/time.ts';
import { type CloneHistory, readClone } from './clone-history.ts';
import { selectionFrom, type Wanted } from './selection.ts';

export interface Asked extends Wanted {
  since?: string | undefined;
  current?: string[] | undefined;
}

export interface FoundExposure {
  report: ExposureReport;
  /** Full ids. */
  current: string[];
  /** Why it may not be all; empty: it is. */
  notes: string[];
}

export interface ExposureOptions {
  isPartial: boolean;
  compared?: Comparisons | undefined;
  onProgress?: (commits: number) => void;
  /** Where no key is asked for: whether a branch that nobody merged may say that one is revoked; absent: it may. */
  says?: 'any' | 'line';
}

/** What the command line asks for, of the clone around `folder`. Throws EXPOSURE_*, GIT_*, TIME_INVALID. */
export async function exposureOf(folder: string, asked: Asked, options: ExposureOptions): Promise<FoundExposure> {
  const since = asked.since === undefined ? undefined : Math.floor(timeFrom(asked.since).getTime() / 1000);
  const history = await readClone(folder, options);
  try {
    const current = await Promise.all((asked.current ?? ['HEAD']).map((name) => history.repository.resolve(name)));
    const wanted: Selection = selectionFrom(asked, history.records, history.repository);
    const select: Selection = wanted.kind === 'revoked' ? { ...wanted, says: options.says ?? 'any' } : wanted;
    const { heads } = history;
    const report = await findExposure(history.records, { select, current, heads, since, compared: options.compared });
    return { report, current, notes: notesOn(history, report) };
  } finally {
    history.repository.close();
  }
}

function notesOn({ shallow, others }: CloneHistory, { gaps }: ExposureReport): string[] {
  const notes: string[] = [];
  if (shallow.size > 0) notes.push('this clone has only a part of the history: there may be more than is listed');
  for (const { commit, code } of gaps.slice(0, 10)) notes.push(`the commit ${commit} could not be read (${code})`);
  if (gaps.length > 10) notes.push(`${gaps.length - 10} more commits could not be read`);
  if (others.length > 0) notes.push(`not looked at, since they name no commit: ${others.slice(0, 10).join(', ')}`);
  return notes;
}
