import type { AuditLine } from '../../core/audit/record.ts';
import { printable } from '../output.ts';

/** One line for a record: when, what, of which secret, for whom, by whom, on whose commit, how it ended. */
export function rowOf(line: AuditLine, cluster: string | undefined): string {
  const kinds = [line.event, line.action, line.change, line.step, line.aspect];
  const what = kinds.filter((part) => part !== undefined).join(' ');
  const secret = line.name === undefined ? '' : `${line.namespace ?? ''}/${line.name}`;
  const entries = line.entries === undefined || line.entries.length === 0 ? '' : `[${line.entries.join(' ')}]`;
  const commit = line.commit ?? (line.event === 'path.refused' ? line.accepted : undefined);
  const { actor, author, signer } = line;
  const isOperator = actor?.kind === 'operator';
  const on = isOperator ? (actor.pod ?? actor.host) : undefined;
  const by = isOperator ? undefined : (actor?.user ?? actor?.pod);
  const parts = [
    line.time,
    ...(cluster === undefined ? [] : [cluster]),
    String(line.sequence).padStart(6),
    what,
    secret + entries,
    secret === '' ? (line.path ?? '') : '',
    listed('for', line.workloads),
    line.recipient === undefined ? '' : `recipient ${line.recipient}`,
    listed('key', line.keyIds),
    line.origin === undefined || line.event === 'log.began' ? '' : `log ${line.origin}`,
    line.request === undefined ? '' : `request ${line.request}`,
    line.proposal === undefined ? '' : `proposal ${line.proposal}`,
    commit === undefined ? '' : `commit ${commit.slice(0, 12)}`,
    line.basis ?? '',
    by === undefined ? '' : `by ${by}`,
    author === undefined ? '' : `author ${author.name}`,
    signer === undefined ? '' : `signed ${signer.names.join(' ')} ${signer.key}`,
    on === undefined ? '' : `on ${on}`,
    line.until === undefined ? '' : `until ${line.until}`,
    line.outcome ?? '',
    line.code ?? '',
    line.message ?? line.reason ?? '',
  ];
  return printable(parts.filter((part) => part !== '').join('  ')).replaceAll(/[\t\n]/g, ' ');
}

function listed(what: string, names: readonly string[] | undefined): string {
  return names === undefined || names.length === 0 ? '' : `${what} ${names.join(' ')}`;
}

/** What a terminal could take for an order, written as JSON may write it. */
const STEERING = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/** The whole of a record, as JSON on several lines. */
export function printableJson(line: AuditLine): string {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(line, null, 2).replace(STEERING, escaped);
}
