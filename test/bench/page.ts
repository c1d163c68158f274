/** What a section of the bench found, and how it is written down. */

import type { Cost } from './measure.ts';

export interface Target {
  what: string;
  /** In the words and units of `what`. */
  measured: string;
  met: boolean;
}

export interface Section {
  title: string;
  /** Markdown: paragraphs and tables. */
  body: string[];
  targets: Target[];
}

export type Cell = string | number;

export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const line = (cells: readonly Cell[]) => `| ${cells.join(' | ')} |`;
  const align = head.map((_, index) => (index === 0 ? '---' : '---:'));
  return [line(head), `|${align.join('|')}|`, ...rows.map(line)].join('\n');
}

/** `1.23 s`, `45.6 ms`, `7.8 µs`. */
export function duration(milliseconds: number): string {
  if (!Number.isFinite(milliseconds)) return '—';
  const size = Math.abs(milliseconds);
  if (size >= 1000) return `${(milliseconds / 1000).toFixed(size >= 10_000 ? 1 : 2)} s`;
  if (size >= 1) return `${milliseconds.toFixed(size >= 100 ? 0 : 1)} ms`;
  return `${(milliseconds * 1000).toFixed(0)} µs`;
}

export function ratio(value: number, to: number): string {
  const times = value / to;
  return Number.isFinite(times) ? `${times.toFixed(times < 0.1 ? 3 : 2)}×` : '—';
}

export function costCells(cost: Cost | undefined): [string, string] {
  return cost === undefined ? ['absent', 'absent'] : [duration(cost.cpu), duration(cost.wall)];
}

export function targetTable(targets: readonly Target[]): string {
  return table(
    ['target', 'measured', ''],
    targets.map(({ what, measured, met }) => [what, measured, met ? 'met' : '**missed**']),
  );
}

export function render(section: Section): string {
  return [
    `## ${section.title}`,
    ...section.body,
    ...(section.targets.length > 0 ? [targetTable(section.targets)] : []),
  ].join('\n\n');
}
