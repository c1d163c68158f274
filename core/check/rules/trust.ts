import { SUBJECTS, type Subject } from '../../../schemas/trust-policy.ts';
import type { Policy } from '../../trust/policy.ts';
import type { Refusal, Verdict } from '../../trust/verdict.ts';
import { command } from '../command.ts';
import { type Finding, finding } from '../finding.ts';
import type { RuleId } from '../rule-list.ts';

/** What was judged. */
export interface JudgedRange {
  since: string;
  head: string;
  policy?: Policy | undefined;
}

/** What an operator would refuse or record, for the author of a pull request: one finding for a commit, rule and file. */
export function trustFindings(verdict: Verdict, range: JudgedRange): Finding[] {
  const groups = Map.groupBy(verdict.refusals, groupOf);
  const refused = [...groups.values()].map((group) => refusalFinding(group, verdict, range));
  return [...refused, ...verdict.returns.map(returnFinding)];
}

/** A commit without a good signature is one mistake, however many files it touches. */
function groupOf({ commit, path, subject, error }: Refusal): string {
  return JSON.stringify([commit, error.code, subject === 'signature' ? '' : path]);
}

function refusalFinding(group: Refusal[], verdict: Verdict, range: JudgedRange): Finding {
  const [first] = group as [Refusal];
  const rule = ruleOf(first);
  const { commit, path, author, error } = first;
  const others = new Set(group.map((refusal) => refusal.path)).size - 1;
  const signer = verdict.verified.get(commit)?.names[0];
  const message =
    rule === 'CHECK_TRUST_NOT_GRANTED'
      ? `${commitText(first)} changes ${aspectsOf(group)}, which ${signer ?? 'its signer'} may not change here (${subjectsOf(group).join(', ')})`
      : `${error.message}${others === 0 ? '' : `; it changes ${others} more ${others === 1 ? 'file' : 'files'}`}`;
  const found = finding(rule, { ...error.data, file: path, commit }, { message, advice: adviceFor(group, range) });
  const aspects = [...new Set(group.map(({ aspect }) => aspect))];
  return {
    ...found,
    trust: { author: `${author.name} <${author.email}>`, signer: signer ?? null, code: error.code, aspects },
  };
}

function ruleOf({ subject, error }: Refusal): RuleId {
  if (subject === 'signature') return 'CHECK_TRUST_SIGNATURE';
  if (subject === 'namespace') return 'CHECK_TRUST_NAMESPACE';
  if (subject !== 'data-key') return 'CHECK_TRUST_NOT_GRANTED';
  return error.code === 'TRUST_RETURN_EXPOSED' ? 'CHECK_TRUST_RETURN_EXPOSED' : 'CHECK_TRUST_OLD_DATA_KEY';
}

function adviceFor(group: Refusal[], { since, head, policy }: JudgedRange): string {
  const [{ commit, path, subject, error }] = group as [Refusal];
  if (subject === 'signature') return signatureAdvice(error.code, commit, { since, head, advice: error.advice });
  const subjects = subjectsOf(group);
  if (subjects.length === 0) return error.advice;
  const [some = [], ...more] = subjects.map((one) => policy?.whoMay(path, one) ?? []);
  const who = some.filter((name) => more.every((names) => names.includes(name)));
  const undo = 'or leave the change out';
  if (who.length === 0) return `Nobody may by this policy: ask who keeps it, ${undo}.`;
  return `Let ${orList(who)} stand for it on this branch (\`${command('coffer', 'endorse', commit.slice(0, 12))}\`) or commit it, ${undo}.`;
}

function signatureAdvice(code: string, commit: string, more: { since: string; head: string; advice: string }): string {
  if (code !== 'TRUST_UNSIGNED') return more.advice;
  const again =
    commit === more.head
      ? 'git commit --amend --no-edit --gpg-sign'
      : `git rebase --force-rebase --gpg-sign ${more.since.slice(0, 12)}`;
  return `Sign it (\`${again}\`, and push with --force-with-lease); how git gets your key: docs/trust.md.`;
}

function returnFinding({ path, entry, commit }: Verdict['returns'][number]): Finding {
  return finding(
    'CHECK_TRUST_RETURN',
    { file: path, entry, commit },
    {
      message: `commit ${commit.slice(0, 12)} takes ${entry} back to an earlier value`,
      advice: 'Make sure that it is meant: operators record it.',
    },
  );
}

function commitText({ commit, author }: Refusal): string {
  return `commit ${commit.slice(0, 12)} by ${author.name} <${author.email}>`;
}

function aspectsOf(group: Refusal[]): string {
  const all = [...new Set(group.map(({ aspect }) => aspect))];
  return all.length <= 4 ? all.join(', ') : `${all.slice(0, 3).join(', ')} and ${all.length - 3} more`;
}

function subjectsOf(group: Refusal[]): Subject[] {
  return SUBJECTS.filter((subject) => group.some((refusal) => refusal.subject === subject));
}

function orList(names: readonly string[]): string {
  return names.length <= 3 ? names.join(' or ') : `${names.slice(0, 2).join(', ')} or another of ${names.length}`;
}
