import type { CheckReport } from '../../core/check/check.ts';
import { shellWord } from '../../core/check/command.ts';
import type { Finding } from '../../core/check/finding.ts';
import { paint, printable } from '../output.ts';
import { count } from './count.ts';

/**
 * For people: a block for each file, a finding on two lines (what and where, what to do), a summary line last.
 * `shownPath` turns a path from the root into one for where the reader stands, so that advised commands can be pasted.
 */
export function renderFindings(
  { findings, files, manifests }: CheckReport,
  shownPath: (path: string) => string,
): string {
  const lines: string[] = [];
  for (const [file, ofFile] of Map.groupBy(findings, ({ data }) => data.file)) {
    const shown = shownPath(file);
    const there = ofFile.map((one) => ({ ...one, advice: namingFile(one.advice, file, shown) }));
    lines.push(paint('bold', printable(shown)), ...there.flatMap(renderFinding), '');
  }
  lines.push(summary(findings, files, manifests));
  return lines.join('\n');
}

/** The advice with the file of its commands named as it is shown; words that only contain its path stay. */
function namingFile(advice: string, file: string, shown: string): string {
  const word = shellWord(file);
  const commands = advice.split(` ${word}`);
  return commands.reduce((text, rest) => `${text} ${/^[ `]/.test(rest) ? shellWord(shown) : word}${rest}`);
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
