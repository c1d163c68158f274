import type { CheckReport } from '../../core/check/check.ts';
import type { Finding } from '../../core/check/finding.ts';
import { paint, printable } from '../output.ts';

/** For people: a block for each file, a finding on two lines (what and where, what to do), a summary line last. */
export function renderFindings({ findings, files, manifests }: CheckReport): string {
  const lines: string[] = [];
  for (const [file, ofFile] of Map.groupBy(findings, ({ data }) => data.file)) {
    lines.push(paint('bold', printable(file)), ...ofFile.flatMap(renderFinding), '');
  }
  lines.push(summary(findings, files, manifests));
  return lines.join('\n');
}

function renderFinding({ rule, level, message, advice, data }: Finding): string[] {
  const place = [data.line, data.column].filter((part) => part !== undefined).join(':');
  const mark = level === 'error' ? paint('red', 'error  ') : paint('yellow', 'warning');
  return [
    `  ${place.padEnd(6)} ${mark} ${printable(message)} ${paint('dim', rule)}`,
    `  ${' '.repeat(14)} ${printable(advice)}`,
  ];
}

function summary(findings: readonly Finding[], files: number, manifests: number): string {
  const looked = `${count(manifests, 'manifest')} in ${count(files, 'file')}`;
  const errors = findings.filter(({ level }) => level === 'error').length;
  const warnings = findings.length - errors;
  if (findings.length === 0) return `${paint('green', 'Nothing found')} in ${looked}.`;
  const parts = [
    ...(errors === 0 ? [] : [paint('red', count(errors, 'error'))]),
    ...(warnings === 0 ? [] : [paint('yellow', count(warnings, 'warning'))]),
  ];
  return `${parts.join(' and ')} in ${looked}.`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
