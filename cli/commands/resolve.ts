import { Args, BaseCommand, Flags } from '../base-command.ts';

export default class Resolve extends BaseCommand {
  static override summary = 'unite the stanzas in files with conflict markers';
  static override description =
    "Takes the stanzas and data keys of both sides where git could not merge them; needs no secret key. A value that was changed on both sides stays a conflict, for you to choose one. Exit code 1 if any is left. With --driver it is git's merge driver: `resolve --driver %O %A %B %P`.";
  static override examples = [
    '<%= config.bin %> resolve payments-db.yaml',
    {
      description: 'In git’s configuration, which init writes:',
      command: '<%= config.bin %> resolve --driver %O %A %B %P',
    },
  ];
  static override strict = false;
  static override args = {
    file: Args.string({ required: true, ignoreStdin: true, description: 'one or more files' }),
  };
  static override flags = {
    driver: Flags.boolean({ description: 'be the merge driver: ancestor, ours (the result goes there), theirs, path' }),
  };

  async run(): Promise<Record<string, unknown>> {
    const { argv, flags } = await this.parse(Resolve);
    return flags.driver ? this.#driver(argv as string[]) : this.#files(argv as string[]);
  }

  async #files(paths: readonly string[]): Promise<Record<string, unknown>> {
    const { resolveFile } = await import('../git/merge-driver.ts');
    const files: { file: string; unresolved: number }[] = [];
    for (const path of paths) {
      try {
        const { unresolved, changed } = await resolveFile(path);
        files.push({ file: path, unresolved });
        this.#tell(path, unresolved, changed);
      } catch (error) {
        this.report(error);
      }
    }
    return { files, errors: this.reported };
  }

  #tell(path: string, unresolved: number, changed: boolean): void {
    if (unresolved > 0) {
      this.answerNo();
      const conflicts = unresolved === 1 ? 'one conflict is' : `${unresolved} conflicts are`;
      this.note(`${path}: ${conflicts} left. Choose a side in each, then run \`coffer check ${path}\`.`);
    } else {
      this.note(changed ? `${path}: resolved. Run \`git add ${path}\`.` : `${path}: no conflict markers.`);
    }
  }

  async #driver(argv: readonly string[]): Promise<Record<string, unknown>> {
    const [base, ours, theirs, path = ours] = argv;
    if (base === undefined || ours === undefined || theirs === undefined) {
      const { CofferError } = await import('../../core/errors.ts');
      throw new CofferError('USAGE_DRIVER', 'a merge driver is given three files and a path', {
        advice: 'Let git call it: `merge.coffer.driver = coffer resolve --driver %O %A %B %P`.',
        exit: 2,
      });
    }
    const { mergeFiles } = await import('../git/merge-driver.ts');
    const { conflicts } = await mergeFiles({ base, ours, theirs });
    if (conflicts > 0) this.answerNo();
    return { file: path, unresolved: conflicts };
  }
}
