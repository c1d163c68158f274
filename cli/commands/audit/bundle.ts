import { identityFlag, logsFlag } from '../../audit/flags.ts';
import { BaseCommand, Flags } from '../../base-command.ts';

export default class AuditBundle extends BaseCommand {
  static override summary = 'put together all that an auditor needs offline, for several clusters';
  static override description =
    `Of each log: its checkpoints, all hashes, and the text of the records of that time; the identities, and a README that says how to verify
it, with coffer or without. Verifies each log first. What is wrong is packed as it is, and told; exit code 1 then.`;
  static override examples = [
    {
      description: 'Of a month:',
      command: 'coffer audit bundle --log /var/lib/coffer/audit --from 2026-10-01 --to 2026-11-01 -o october',
    },
    {
      description: 'Of two clusters:',
      command: 'coffer audit bundle --log http://127.0.0.1:8780/audit --log staging-audit --from 2026-10-01 -o october',
    },
  ];
  static override flags = {
    log: logsFlag,
    identity: identityFlag,
    from: Flags.string({ description: 'records from this time on', helpValue: 'TIME', required: true }),
    to: Flags.string({ description: 'and before this one (default: now)', helpValue: 'TIME' }),
    output: Flags.string({ char: 'o', description: 'a folder, which is made', helpValue: 'DIR', required: true }),
  };

  async run(): Promise<Record<string, unknown>> {
    const { flags } = await this.parse(AuditBundle);
    const [
      { openLogs },
      { stillStore },
      { identitiesFrom },
      { verifyLogs },
      { writeBundle },
      { rangeFrom },
      { progressOf },
      { printable },
    ] = await Promise.all([
      import('../../audit/open-logs.ts'),
      import('../../audit/still-store.ts'),
      import('../../audit/identity-of.ts'),
      import('../../audit/verify-logs.ts'),
      import('../../audit/write-bundle.ts'),
      import('../../audit/select-records.ts'),
      import('../../audit/progress.ts'),
      import('../../output.ts'),
    ]);
    const range = rangeFrom(flags.from, flags.to ?? new Date().toISOString());
    const [opened, identities] = [await openLogs(flags.log), await identitiesFrom(flags.identity)];
    const logs = opened.map((log) => ({ ...log, store: stillStore(log.store) }));
    const onProgress = progressOf(process.stderr, this.jsonEnabled());
    const { logs: reports } = await verifyLogs(logs, identities, { range, onProgress });
    const bundled = await writeBundle(flags.output, logs, reports, identities, range);
    for (const { cluster, findings } of reports) {
      for (const { kind, message } of findings) this.warn(printable(`${cluster}: ${kind}: ${message}`));
      if (findings.length > 0) this.answerNo();
    }
    for (const { origin, from, to } of bundled)
      this.note(to < from ? `${origin}: no records` : `${origin}: the records ${from} to ${to}`);
    return { folder: flags.output, logs: bundled, ok: reports.every(({ findings }) => findings.length === 0) };
  }
}
