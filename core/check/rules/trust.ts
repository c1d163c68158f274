import { SUBJECTS } from '../../../schemas/trust-policy.ts';
import type { Policy } from '../../trust/policy/policy.ts';
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

const RULE_OF: ReadonlyMap<string, RuleId> = new Map([
  ['TRUST_UNSIGNED', 'CHECK_TRUST_SIGNATURE'],
  ['TRUST_SIGNATURE', 'CHECK_TRUST_SIGNATURE'],
  ['TRUST_NOT_GRANTED', 'CHECK_TRUST_NOT_GRANTED'],
  ['TRUST_NAMESPACE', 'CHECK_TRUST_NAMESPACE'],
  ['TRUST_OLD_DATA_KEY', 'CHECK_TRUST_OLD_DATA_KEY'],
  ['TRUST_RETURN_EXPOSED', 'CHECK_TRUST_RETURN_EXPOSED'],
  ['TRUST_ROLLED_BACK', 'CHECK_TRUST_ROLLED_BACK'],
]);

/** What an operator would refuse or record, and what the author of a pull request can do. */
export function trustFindings(verdict: Verdict, range: JudgedRange): Finding[] {
  const groups = Map.groupBy(verdict.refusals, groupOf);
  const refused = [...groups.values()].map((group) => refusalFinding(group, range));
  return [...refused, ...verdict.returns.map(returnFinding)];
}

/** A commit without a good signature is one mistake, however many files it changes. */
function groupOf({ commit, path, aspect, subject }: Refusal): string {
  return JSON.stringify(subject === 'signature' ? [commit] : [commit, path, subject, aspect]);
}

function refusalFinding(group: Refusal[], range: JudgedRange): Finding {
  const [first] = group as [Refusal];
  const { commit, path, aspect, author, error } = first;
  const others = new Set(group.map((refusal) => refusal.path)).size - 1;
  const more = others === 0 ? '' : `; it changes ${others} more ${others === 1 ? 'file' : 'files'}`;
  const rule = RULE_OF.get(error.code) ?? 'CHECK_TRUST_NOT_GRANTED';
  const text = { message: `${error.message}${more}`, advice: adviceFor(first, range) };
  const found = finding(rule, { ...error.data, file: path, commit }, text);
  return { ...found, trust: { author: `${author.name} <${author.email}>`, code: error.code, aspect } };
}

function adviceFor(refusal: Refusal, { since, head, policy }: JudgedRange): string {
  const { commit, path, subject, error } = refusal;
  if (error.code === 'TRUST_UNSIGNED') {
    const again =
      commit === head
        ? 'git commit --amend --no-edit --gpg-sign'
        : `git rebase --force-rebase --gpg-sign ${since.slice(0, 12)}`;
    return `Sign it (\`${again}\`, and push with --force-with-lease); how git gets your key: docs/trust.md, "Each signer, once".`;
  }
  const granted = SUBJECTS.find((one) => one === subject);
  if (error.code !== 'TRUST_NOT_GRANTED' || granted === undefined) return error.advice;
  const who = orList(policy?.whoMay(path, granted) ?? []);
  const endorsers = orList(policy?.whoEndorses(path, [granted]) ?? []);
  if (who === '') {
    return `The policy grants \`${granted}\` there to nobody: ask who keeps it, or leave the change out.`;
  }
  if (endorsers === '') return `Let ${who} commit it; or leave the change out.`;
  const others = who === endorsers ? '' : `let ${endorsers} `;
  const endorse = command('endorse', commit.slice(0, 12));
  return `Let ${who} commit it, or ${others}stand for it on this branch (${endorse}); or leave the change out.`;
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

function orList(names: readonly string[]): string {
  return names.length <= 3 ? names.join(' or ') : `${names.slice(0, 2).join(', ')} or another of ${names.length}`;
}
