import { paint } from '../output.ts';
import type { JudgedCommits } from '../trust/judge-commits.ts';
import { count } from './count.ts';

/** What became of the commits, on a line. */
export function judgedSummary({ commits, upstream, since, mode, findings }: JudgedCommits): string {
  const of = `${count(commits, 'commit')} since ${upstream} (${since.slice(0, 12)}), judged as mode ${mode}`;
  const refused = new Set(findings.flatMap(({ level, data }) => (level === 'error' ? [data.commit] : []))).size;
  if (commits === 0) return `No commit to judge: ${upstream} has all of HEAD.`;
  if (refused === 0) return `${of}: ${paint('green', `an operator takes ${commits === 1 ? 'it' : 'them'}`)}.`;
  return `${of}: ${paint('red', `an operator refuses ${commits === 1 ? 'it' : `${refused} of them`}`)}.`;
}

export function uncommittedNote(files: number): string {
  return `${count(files, 'file')} changed and not committed: only commits are judged by --trust.`;
}
