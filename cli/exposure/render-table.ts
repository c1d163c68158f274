import type { Exposed, ExposureReport, ExposureState, Living } from '../../core/exposure/exposure.ts';
import { paint, printable } from '../output.ts';
import { count } from '../render/count.ts';

/** In the order of what to do first. */
export const STATES: readonly ExposureState[] = ['live', 'resealed', 'elsewhere', 'changed', 'removed', 'public'];

export const MEANING: Readonly<Record<ExposureState, string>> = {
  live: 'still in use',
  resealed: 'sealed anew, not proven changed',
  elsewhere: 'on another branch only',
  changed: 'proven changed',
  removed: 'gone from the repository',
  public: 'no secret',
};

/**
 * For people: a row for each value, the most urgent first, then where else it may be in use, then what was looked at.
 *
 * @param width columns of the terminal: rows that do not fit are on two lines each. Absent: what is piped has a line for each
 */
export function renderExposure(report: ExposureReport, isWhole: boolean, width = Number.POSITIVE_INFINITY): string {
  const rows = inOrder(report.values).map(rowOf);
  const head = ['STATE', 'MANIFEST', 'ENTRY', 'READABLE BY', 'FROM', 'UNTIL', 'WRITTEN BY', 'FILE'];
  const table = rows.length === 0 ? [] : [...fitting([head, ...rows], width), ''];
  return [...table, ...otherLines(report), ...keyLines(report), summaryOf(report, isWhole)].join('\n');
}

/** Current values that are, or may be, one that was exposed in another place: no row of those says where to replace them. */
export function inOtherPlaces({ values, living }: ExposureReport): Living[] {
  const placeOf = ({ namespace, name, entry }: Living | Exposed, path: string) =>
    JSON.stringify([namespace, name, entry, path]);
  const urgent = values.filter(({ state }) => state === 'live' || state === 'resealed');
  const named = new Set(urgent.flatMap((value) => value.paths.map((path) => placeOf(value, path))));
  const keyOf = (value: Living) => `${value.state} ${placeOf(value, value.path)}`;
  const others = living.filter((value) => !named.has(placeOf(value, value.path)));
  return others.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

/** What such a value is. */
export const ELSEWHERE: Readonly<Record<Living['state'], string>> = {
  live: 'one of these values, in another place',
  resealed: 'may be one of these values, in another place',
};

export function inOrder(values: readonly Exposed[]): Exposed[] {
  const keyOf = ({ state, namespace, name, entry, from }: Exposed) =>
    [STATES.indexOf(state), namespace, name, entry, from.time].join('\0');
  return values
    .map((value) => ({ value, key: keyOf(value) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ value }) => value);
}

/** Of a part of the history no number is the whole one. */
export function summaryOf({ values, living, commits }: ExposureReport, isWhole: boolean): string {
  const counts = STATES.map((state) => [state, values.filter((value) => value.state === state).length] as const);
  const parts = counts.filter(([, number]) => number > 0).map(([state, number]) => `${number} ${MEANING[state]}`);
  const detail = parts.length === 0 ? '' : ` (${parts.join(', ')})`;
  const least = isWhole ? '' : 'at least ';
  return `exposed: ${least}${living.length} of the current values; ${least}${count(values.length, 'value')} in ${count(commits, 'commit')}${detail}`;
}

function rowOf(value: Exposed): string[] {
  const { state, namespace, name, entry, keys, from, until, written, paths } = value;
  const readers = keys.map(({ kid, recipient, group }) =>
    [recipient, kid.slice(0, 8), ...(group === undefined ? [] : [`by ${group.name}`])].join(' '),
  );
  return [
    state,
    namespace === '' ? '?' : `${namespace}/${name}`,
    entry,
    readers.join(', ') || written.author.email,
    dayOf(from.time),
    until === undefined ? '' : dayOf(until.time),
    written.author.email,
    paths.length > 1 ? `${paths[0]} and ${paths.length - 1} more` : (paths[0] ?? ''),
  ].map(printable);
}

function otherLines(report: ExposureReport): string[] {
  const rows = inOtherPlaces(report).map(({ state, namespace, name, entry, path }) =>
    [state, namespace === '' ? '?' : `${namespace}/${name}`, entry, path, ELSEWHERE[state]].map(printable),
  );
  return rows.length === 0 ? [] : [...aligned(rows), ''];
}

function keyLines({ keys }: ExposureReport): string[] {
  return keys.map(({ kid, recipient, why, through, since }) => {
    const reason = reasonOf(why, through?.slice(0, 8) ?? '');
    return paint(
      'dim',
      printable(`${kid} ${recipient} ${reason}${since === undefined ? '' : ` ${dayOf(since.time)}`}`),
    );
  });
}

/** Why a key is looked for. @param through what opens a group's key */
export function reasonOf(why: ExposureReport['keys'][number]['why'], through: string): string {
  if (why === 'member') return `opened by ${through}`;
  return why === 'asked' ? 'asked for' : why;
}

function dayOf(time: string): string {
  return time.slice(0, 16).replace('T', ' ');
}

function fitting(rows: readonly string[][], width: number): string[] {
  const lines = aligned(rows);
  if (lines.every(({ length }) => length <= width)) return lines;
  const what = aligned(
    rows.map(([state = '', manifest = '', entry = '', , , , , file = '']) => [state, manifest, entry, file]),
  );
  const whose = aligned(rows.map((row) => row.slice(3, 7)));
  return what.flatMap((line, index) => [line, `    ${whose[index] ?? ''}`]);
}

function aligned(rows: readonly string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
