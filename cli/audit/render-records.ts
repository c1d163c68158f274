import type { AuditLine } from '../../core/audit/record.ts';
import { printable } from '../output.ts';
import { actorsOf } from './select-records.ts';

/** One line for a record: when, what, of which secret, for whom, by whom, how it ended. */
export function rowOf(line: AuditLine, cluster: string | undefined): string {
  const what = [line.event, line.action, line.change, line.step].filter((part) => part !== undefined).join(' ');
  const secret = line.name === undefined ? '' : `${line.namespace ?? ''}/${line.name}`;
  const entries = line.entries === undefined ? '' : `[${line.entries.join(' ')}]`;
  const readers = line.workloads === undefined || line.workloads.length === 0 ? '' : `for ${line.workloads.join(' ')}`;
  const { actor } = line;
  const by = actor?.kind === 'operator' ? undefined : actorsOf(line)[0];
  const on = actor?.kind === 'operator' ? (actor.pod ?? actor.host) : undefined;
  const parts = [
    line.time,
    ...(cluster === undefined ? [] : [cluster]),
    String(line.sequence).padStart(6),
    what,
    secret + entries,
    readers,
    line.recipient === undefined ? '' : `recipient ${line.recipient}`,
    line.keyIds === undefined ? '' : `key ${line.keyIds.join(' ')}`,
    line.commit === undefined ? '' : `commit ${line.commit.slice(0, 12)}`,
    by === undefined ? '' : `by ${by}`,
    on === undefined ? '' : `on ${on}`,
    line.outcome ?? '',
    line.code ?? '',
    line.message ?? line.reason ?? '',
  ];
  return printable(parts.filter((part) => part !== '').join('  ')).replaceAll(/[\t\n]/g, ' ');
}

/** What a terminal could take for an order, written as JSON may write it. */
const STEERING = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/** The whole of a record, as JSON on several lines. */
export function printableJson(line: AuditLine): string {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(line, null, 2).replace(STEERING, escaped);
}
