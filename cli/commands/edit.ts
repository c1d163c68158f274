import { Args, asFlag, BaseCommand, Flags, keyDirectoryFlag } from '../base-command.ts';

export default class Edit extends BaseCommand {
  static override summary = 'edit a file in plaintext; seals only what you changed';
  static override description =
    `Opens the file in $VISUAL or $EDITOR with its values in plaintext, as far as your keys open them; the others stand as sealed text. The plaintext is a file in memory (tmpfs) that only you can read, in a folder that is removed in every case. When you save and close, values that you changed or added are sealed, and every other byte of the file is as you left it.

If what you saved is not a valid file you can open the editor again; otherwise nothing is kept. Your editor may copy what you edit elsewhere (a history of undo, a clipboard): that is beyond coffer.`;
  static override examples = [
    'coffer edit payments/payments-db.yaml',
    { description: 'With another editor:', command: "EDITOR='code --wait' coffer edit payments/payments-db.yaml" },
  ];
  static override args = { file: Args.string({ required: true, ignoreStdin: true, description: 'the manifest' }) };
  static override flags = {
    'key-dir': keyDirectoryFlag,
    as: asFlag,
    'allow-disk': Flags.boolean({ description: 'where no folder is in memory, edit in the temporary folder on disk' }),
  };

  override async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(Edit);
    const [{ EditSession }, { openEditor }, { inPrivateFolder }] = await Promise.all([
      import('../edit/edit-session.ts'),
      import('../edit/editor.ts'),
      import('../edit/private-folder.ts'),
    ]);
    const session = await EditSession.open(args.file, flags);
    try {
      for (const { entry, reason } of session.unopened) this.warn(`${entry} stays sealed: ${reason}`);
      const text = await inPrivateFolder({ allowDisk: flags['allow-disk'] }, (folder) =>
        this.#edit(session, (file) => openEditor(file), folder),
      );
      if (text === undefined) {
        this.say(`${args.file}: nothing was changed`);
        return { file: args.file, changed: false, sealed: [] };
      }
      for (const warning of text.warnings) this.warn(warning);
      await session.save(text.text);
      this.say(
        `${args.file}: ${text.sealed.length === 0 ? 'saved, no value changed' : `sealed ${text.sealed.join(', ')}`}`,
      );
      return { file: args.file, changed: true, sealed: text.sealed };
    } finally {
      session.wipe();
    }
  }

  /** Until what was saved can be sealed, or the person gives up: then the error goes on. */
  async #edit(session: Session, openEditor: (file: string) => Promise<void>, folder: string) {
    const [{ writeShown, readShown }, { canAsk, confirm }, { renderError }] = await Promise.all([
      import('../edit/edit-session.ts'),
      import('../input/prompt.ts'),
      import('../output.ts'),
    ]);
    const shown = writeShown(folder, session);
    for (;;) {
      await openEditor(shown);
      const edited = readShown(shown);
      try {
        return await session.seal(edited);
      } catch (error) {
        if (!canAsk()) throw error;
        process.stderr.write(renderError(error, process.stderr));
        if (!(await confirm('Open the editor again? Otherwise your changes are lost.'))) throw error;
      }
    }
  }
}

type Session = import('../edit/edit-session.ts').EditSession;
