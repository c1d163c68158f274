import type { CofferError, ErrorData } from '../errors.ts';
import { type Level, RULES, type RuleId } from './rule-list.ts';

/** Something that a check found. Like an error it never holds a value, whatever it found in plaintext. */
export interface Finding {
  /** A rule of rules.ts, or the code of the error that reading the file gave. */
  rule: string;
  level: Level;
  message: string;
  /** What to do: one sentence, imperative. */
  advice: string;
  data: ErrorData & { file: string };
  /** Of a commit that operators would refuse. */
  trust?: {
    /** As the commit claims. */
    author: string;
    /** The code that operators report it under. */
    code: string;
    /** What of the file: `payments/db spec.readers[api]`. */
    aspect: string;
  };
}

export function finding(
  rule: RuleId,
  data: ErrorData & { file: string },
  text: { message: string; advice: string },
): Finding {
  return { rule, level: RULES[rule].level, message: text.message, advice: text.advice, data };
}

/** A problem of form, under its own code. */
export function findingOf(problem: CofferError, file: string): Finding {
  return {
    rule: problem.code,
    level: 'error',
    message: problem.message,
    advice: problem.advice,
    data: { ...problem.data, file: problem.data.file ?? file },
  };
}

/** By file, then line, then column; errors before warnings in one place. */
export function inOrder(findings: readonly Finding[]): Finding[] {
  return findings.toSorted(
    (a, b) =>
      compare(a.data.file, b.data.file) ||
      (a.data.line ?? 0) - (b.data.line ?? 0) ||
      (a.data.column ?? 0) - (b.data.column ?? 0) ||
      compare(a.level, b.level) ||
      compare(a.rule, b.rule),
  );
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
