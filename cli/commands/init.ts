import { BaseCommand, Flags } from '../base-command.ts';

export default class Init extends BaseCommand {
  static override summary = 'set up coffer in this git repository';
  static override description =
    `Makes .coffer/ (configuration and keyring) at the root of the repository, adds the diff and merge drivers to
.gitattributes and to this clone's git configuration, and installs a pre-commit hook that refuses plaintext.

It can be run again at any time and changes nothing that is there: each clone needs one run, because git does not clone
its configuration and hooks. A pre-commit hook that you already have is not touched; you are told the line to add.`;
  static override examples = [
    { description: 'Set up, for manifests anywhere in the repository:', command: 'coffer init' },
    { description: 'For manifests in one folder only:', command: "coffer init --path 'secrets/**'" },
  ];
  static override flags = {
    path: Flags.string({
      description: 'where manifests are looked for, a glob as in gitignore (default: every .yaml, .yml and .json)',
      helpValue: 'GLOB',
      multiple: true,
      multipleNonGreedy: true,
    }),
    hook: Flags.boolean({ description: 'install the pre-commit hook', default: true, allowNo: true }),
  };

  override async run(): Promise<Record<string, unknown>> {
    const { flags } = await this.parse(Init);
    const { initialise } = await import('../workspace/initialise.ts');
    const outcome = await initialise(process.cwd(), { paths: flags.path ?? [], hook: flags.hook });
    for (const step of outcome.steps) this.say(`${step.changed ? 'made ' : 'kept '} ${step.what}`);
    for (const warning of outcome.warnings) this.warn(warning);
    if (outcome.steps.some((step) => step.changed)) {
      this.note('Next: `coffer recipients create NAME --type person`, then `coffer new NAMESPACE/NAME`.');
    }
    return { root: outcome.root, steps: outcome.steps, warnings: outcome.warnings };
  }
}
