import { Args, BaseCommand } from '../base-command.ts';

export default class Encrypt extends BaseCommand {
  static override summary = 'seal every plaintext value of files, in place; needs no secret key';
  static override description =
    'Takes manifests and ejson files. Values that are sealed already, and every other byte, stay as they are. A file is replaced as a whole or, where something in it is wrong, not at all; the other files are still sealed.';
  static override examples = [
    'coffer encrypt payments/payments-db.yaml',
    { description: 'Many at once:', command: 'coffer encrypt payments/*.yaml' },
  ];
  static override strict = false;
  static override usage = 'encrypt FILE... [--json]';
  static override args = { file: Args.string({ required: true, ignoreStdin: true, description: 'the files' }) };

  override async run(): Promise<Record<string, unknown>> {
    const { argv } = await this.parse(Encrypt);
    const [{ FileSealer }, { Progress }] = await Promise.all([
      import('../seal/seal-files.ts'),
      import('../render/progress.ts'),
    ]);
    const sealer = new FileSealer((warning) => this.warn(warning));
    const files: Record<string, unknown>[] = [];
    const progress = new Progress(argv.length, 'files');
    for await (const outcome of sealer.sealAll(argv.map(String))) {
      progress.step();
      if ('error' in outcome) {
        progress.clear();
        this.report(outcome.error);
        continue;
      }
      files.push({ file: outcome.file, sealed: outcome.sealed });
      progress.clear();
      this.say(
        outcome.sealed.length === 0
          ? `${outcome.file}: nothing to seal`
          : `${outcome.file}: sealed ${outcome.sealed.join(', ')}`,
      );
    }
    progress.clear();
    return { files, errors: this.reported };
  }
}
