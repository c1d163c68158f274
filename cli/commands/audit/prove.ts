import { logFlag } from '../../audit/flags.ts';
import { Args, BaseCommand, Flags } from '../../base-command.ts';

export default class AuditProve extends BaseCommand {
  static override summary = 'prove that a record is in a log, in one text that can be checked without it';
  static override description =
    `Prints the record, the hashes that lead from it to the root, and the signed checkpoint, in the form of C2SP tlog-proof. Whoever knows
the cluster's identity checks it with coffer audit verify --proof, or with any program that knows that form.`;
  static override examples = ['coffer audit prove 17 --log /var/lib/coffer/audit -o record-17.tlog-proof'];
  static override args = {
    record: Args.string({
      required: true,
      ignoreStdin: true,
      description: 'its number, as coffer audit show prints it',
    }),
  };
  static override flags = {
    log: logFlag,
    output: Flags.string({ char: 'o', description: 'write to this file', helpValue: 'FILE' }),
  };

  async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(AuditProve);
    const [{ openLogs }, { proveRecord }, { CofferError }, { writeFileAtomically }] = await Promise.all([
      import('../../audit/open-logs.ts'),
      import('../../../core/audit/prove.ts'),
      import('../../../core/errors.ts'),
      import('../../../core/files/atomic.ts'),
    ]);
    // Of `Args.integer` the error has no mark of oclif's, so that it would count as a mistake of ours.
    const record = Number(args.record);
    if (!/^[1-9][0-9]{0,15}$/.test(args.record))
      throw new CofferError('USAGE', 'the record is named by its number, from 1', {
        advice: 'Take the number that coffer audit show prints.',
        exit: 2,
      });
    const [log, ...others] = await openLogs([flags.log]);
    if (log === undefined || others.length > 0)
      throw new CofferError('USAGE', 'a record is one of one log, and the bundle has several', {
        advice: 'Give one of the folders in its logs/ instead.',
        exit: 2,
      });
    const proof = await proveRecord(log.store, record);
    if (flags.output === undefined) this.say(proof.trimEnd());
    else await writeFileAtomically(flags.output, proof);
    return { origin: log.origin, record, proof };
  }
}
