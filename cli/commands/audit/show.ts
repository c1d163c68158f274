import { logsFlag } from '../../audit/flags.ts';
import type { LogRecord } from '../../audit/merge-records.ts';
import { BaseCommand, Flags } from '../../base-command.ts';

export default class AuditShow extends BaseCommand {
  static override summary = 'show records of a log: by secret, workload, actor, key or time';
  static override description =
    'Everything that is said must fit; several logs are shown as one history. Shows what is there; whether that is what was signed, coffer audit verify says. With --json, whole records.';
  static override examples = [
    {
      description: 'Of one secret:',
      command: 'coffer audit show --log /var/lib/coffer/audit --secret payments/db --since 2026-11-01',
    },
    'coffer audit show --log bundle --key 9f86d081 --json',
    { description: 'Who read by hand?', command: 'coffer audit show --log bundle --event secret.intent --actor ada' },
  ];
  static override flags = {
    log: logsFlag,
    secret: Flags.string({ description: 'NAMESPACE/NAME, or a NAME in any namespace', helpValue: 'SECRET' }),
    entry: Flags.string({ description: 'an entry of secrets', helpValue: 'ENTRY' }),
    workload: Flags.string({ description: 'a reader', helpValue: 'NAMESPACE/NAME' }),
    actor: Flags.string({
      description: 'a part of the name, address, signing key or user of whoever wrote, signed, asked or read',
      helpValue: 'WHO',
    }),
    key: Flags.string({ description: 'a key id or data key id, or its beginning', helpValue: 'ID' }),
    event: Flags.string({
      description: 'for instance secret.outcome; or all of a kind, for instance key',
      helpValue: 'EVENT',
      multiple: true,
    }),
    since: Flags.string({ description: 'from this time on', helpValue: 'TIME' }),
    until: Flags.string({ description: 'before this time', helpValue: 'TIME' }),
    last: Flags.integer({ description: 'the newest so many of them', helpValue: 'NUMBER', min: 1 }),
  };

  async run(): Promise<Record<string, unknown>> {
    const { flags } = await this.parse(AuditShow);
    const [{ openLogs }, { selects }, { rowOf }, { mergedRecords }] = await Promise.all([
      import('../../audit/open-logs.ts'),
      import('../../audit/select-records.ts'),
      import('../../audit/render-records.ts'),
      import('../../audit/merge-records.ts'),
    ]);
    const isWanted = selects(flags);
    const logs = await openLogs(flags.log);
    const kept: LogRecord[] = [];
    const show = ({ line, log }: LogRecord) => this.say(rowOf(line, logs.length > 1 ? log.cluster : undefined));
    for await (const record of mergedRecords(logs)) {
      if (!isWanted(record.line)) continue;
      if (flags.last === undefined && !this.jsonEnabled()) show(record);
      // No more of them than are asked for: a log may have a million.
      else if (kept.push(record) > (flags.last ?? Number.POSITIVE_INFINITY)) kept.shift();
    }
    for (const record of this.jsonEnabled() ? [] : kept) show(record);
    return { records: kept.map(({ log, line }) => ({ log: log.origin, ...line })) };
  }
}
