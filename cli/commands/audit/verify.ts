import { anyLogsFlag, identityFlag, noneByDefault } from '../../audit/flags.ts';
import { BaseCommand, Flags } from '../../base-command.ts';

export default class AuditVerify extends BaseCommand {
  static override summary = 'verify that a log is what the identity of its cluster signed';
  static override description =
    `Reads every record and every hash, and says what was edited, deleted, put into another order, cut off or signed by somebody else, and
where. With --checkpoint, that the log goes on from a checkpoint that you kept: keep one from time to time, since nothing else shows a
log that was put back as it was. Needs no secret key. Exit code 1 when something is wrong. What is verified, and what cannot be:
docs/audit.md.`;
  static override examples = [
    'coffer audit verify --log /var/lib/coffer/audit',
    {
      description: 'With the checkpoint that was kept on Monday:',
      command: 'coffer audit verify --log http://127.0.0.1:8780/audit --checkpoint checkpoint-of-monday',
    },
    {
      description: 'An auditor, with what the owner of the cluster said on the telephone:',
      command:
        'coffer audit verify --log october --from 2026-10-01 --to 2026-11-01 --identity production=coffer-identity-1-…',
    },
    'coffer audit verify --proof record-17.tlog-proof',
  ];
  static override flags = {
    log: anyLogsFlag,
    identity: identityFlag,
    checkpoint: Flags.string({
      description: 'a checkpoint of an earlier day, which must be a prefix of the log',
      helpValue: 'FILE',
      ...noneByDefault,
    }),
    from: Flags.string({ description: 'a bundle has to cover what was recorded from this time on', helpValue: 'TIME' }),
    to: Flags.string({ description: 'and before this one (default: all)', helpValue: 'TIME', dependsOn: ['from'] }),
    without: Flags.string({
      description: 'a log that others have seen, and that you know why it is not here',
      helpValue: 'LOGID',
      ...noneByDefault,
    }),
    proof: Flags.string({
      description: 'verify what coffer audit prove wrote, instead of a log',
      helpValue: 'FILE',
      exclusive: ['log', 'checkpoint'],
    }),
  };

  async run(): Promise<Record<string, unknown>> {
    const { flags } = await this.parse(AuditVerify);
    if (flags.proof !== undefined) return await this.#proof(flags.proof, flags.identity);
    const [
      { openLogs },
      { identitiesFrom },
      { verifyLogs, reportLines },
      { readSmallFile },
      { CofferError },
      { printable },
    ] = await Promise.all([
      import('../../audit/open-logs.ts'),
      import('../../audit/identity-of.ts'),
      import('../../audit/verify-logs.ts'),
      import('../../audit/read-small-file.ts'),
      import('../../../core/errors.ts'),
      import('../../output.ts'),
    ]);
    if (flags.log.length === 0)
      throw new CofferError('USAGE', '--log or --proof is missing', { advice: 'Say which log to verify.', exit: 2 });
    const checkpoints = await Promise.all(
      flags.checkpoint.map(async (file) => ({ file, text: await readSmallFile(file) })),
    );
    const [logs, identities] = [await openLogs(flags.log), await identitiesFrom(flags.identity)];
    const [{ progressOf }, { rangeFrom }] = await Promise.all([
      import('../../audit/progress.ts'),
      import('../../audit/select-records.ts'),
    ]);
    const { logs: reports, findings } = await verifyLogs(logs, identities, {
      checkpoints,
      without: flags.without,
      onProgress: progressOf(process.stderr, this.jsonEnabled()),
      ...(flags.from === undefined ? {} : { range: rangeFrom(flags.from, flags.to) }),
    });
    for (const report of reports) {
      for (const line of reportLines(report)) this.say(printable(line));
      for (const { kind, message } of report.findings) this.say(printable(`  ${kind}: ${message}`));
    }
    for (const { kind, message } of findings) this.say(printable(`${kind}: ${message}`));
    const ok = [{ findings }, ...reports].every((one) => one.findings.length === 0);
    if (!ok) this.answerNo();
    return { ok, logs: reports, findings };
  }

  async #proof(file: string, identity: readonly string[]): Promise<Record<string, unknown>> {
    const [
      { checkProof },
      { parseProof },
      { parseCheckpoint, ORIGIN },
      { identitiesFrom },
      { readSmallFile },
      { printableJson },
    ] = await Promise.all([
      import('../../../core/audit/prove.ts'),
      import('../../../core/audit/note/proof-text.ts'),
      import('../../../core/audit/note/checkpoint.ts'),
      import('../../audit/identity-of.ts'),
      import('../../audit/read-small-file.ts'),
      import('../../audit/render-records.ts'),
    ]);
    const text = await readSmallFile(file);
    const [, cluster = ''] = ORIGIN.exec(parseCheckpoint(parseProof(text).checkpoint).origin) ?? [];
    const { line, origin, size, root } = checkProof(text, (await identitiesFrom(identity)).of(cluster).key);
    this.say(printableJson(line));
    this.note(`This is record ${line.sequence} of ${origin}, in the tree of ${size} records that its identity signed.`);
    return { ok: true, origin, size, root: root.toString('base64'), record: line };
  }
}
