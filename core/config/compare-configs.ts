import { type Difference, detailedDifferences, differences } from '../differences.ts';
import type { RepositoryConfig } from './repository.ts';

/** What a reviewer wants to know of a change of `.coffer/config.yaml`. */
export interface ConfigChange extends Difference {
  what:
    | 'configuration'
    | 'repository'
    | 'rule'
    | 'order of rules'
    | 'required recipient'
    | 'include'
    | 'ignore'
    | 'rotating cluster';
  /** Why a reviewer should stop here: what this change does to everybody. */
  warning?: string;
}

/** What changed from one version to another; absent: there is none. Of a new one everything is listed. */
export function compareConfigs(
  before: RepositoryConfig | undefined,
  after: RepositoryConfig | undefined,
): ConfigChange[] {
  if (after === undefined) {
    return before === undefined ? [] : [{ what: 'configuration', subject: '', change: 'removed' }];
  }
  return [
    ...(before === undefined ? [{ what: 'configuration', subject: '', change: 'added' } as const] : []),
    ...repositoryChanges(before, after),
    ...named('required recipient', differences(setOf(before?.requiredRecipients), setOf(after.requiredRecipients))),
    ...named('rule', detailedDifferences(rulesOf(before), rulesOf(after))),
    ...orderChanges(before, after),
    ...named('include', differences(setOf(before?.include), setOf(after.include))),
    ...named('ignore', differences(setOf(before?.ignore), setOf(after.ignore))),
    ...named('rotating cluster', detailedDifferences(field(before?.rotatingCluster), field(after.rotatingCluster))),
  ];
}

function named(what: ConfigChange['what'], found: readonly Difference[]): ConfigChange[] {
  return found.map((difference) => ({ what, ...difference }));
}

function repositoryChanges(before: RepositoryConfig | undefined, after: RepositoryConfig): ConfigChange[] {
  const changes = named('repository', detailedDifferences(field(before?.repository), field(after.repository)));
  const warning =
    'pins belong to the old id: with this one everybody is asked anew whom to trust, and would take an identity that was replaced';
  return changes.map((change) => (change.change === 'changed' ? { ...change, warning } : change));
}

/** Of two rules for one path only the first ever matches. */
function rulesOf(config: RepositoryConfig | undefined): Map<string, string> {
  const rules = new Map<string, string>();
  for (const { path, recipients } of config?.rules ?? []) {
    if (!rules.has(path)) rules.set(path, recipients.join(', '));
  }
  return rules;
}

/** The first rule that matches counts, so the same rules in another order can mean other recipients. */
function orderChanges(before: RepositoryConfig | undefined, after: RepositoryConfig): ConfigChange[] {
  const [old, now] = [rulesOf(before), rulesOf(after)];
  const kept = (one: Map<string, string>, other: Map<string, string>) =>
    [...one.keys()].filter((path) => other.has(path)).join(', ');
  return named('order of rules', detailedDifferences(field(kept(old, now)), field(kept(now, old))));
}

function setOf(texts: readonly string[] = []): Map<string, boolean> {
  return new Map(texts.map((text) => [text, true]));
}

function field(text: string | undefined): Map<string, string> {
  return new Map(text === undefined ? [] : [['', text]]);
}
