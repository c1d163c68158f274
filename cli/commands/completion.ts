import { Args, BaseCommand, Flags } from '../base-command.ts';

export default class Completion extends BaseCommand {
  static override summary = "print a shell's completion script";
  static override description =
    'Completes commands, flags, their values and files, the recipients of the repository and the entries of a manifest.';
  static override examples = [
    { description: 'In ~/.bashrc:', command: 'source <(<%= config.bin %> completion bash)' },
    { description: 'In ~/.zshrc, after compinit:', command: 'source <(<%= config.bin %> completion zsh)' },
    { description: 'In config.fish:', command: '<%= config.bin %> completion fish | source' },
  ];
  static override args = {
    shell: Args.string({ options: ['bash', 'zsh', 'fish'], ignoreStdin: true, description: 'for which shell' }),
  };
  static override flags = {
    list: Flags.string({ options: ['recipients', 'entries'], hidden: true, description: 'what scripts ask for' }),
    of: Flags.string({ hidden: true, description: 'with --list entries: the manifest' }),
  };

  async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(Completion);
    if (flags.list !== undefined) return this.#list(flags.list, flags.of);
    const script = await this.#script(args.shell);
    this.say(script.trimEnd());
    return { shell: args.shell, script };
  }

  async #list(what: string, of: string | undefined): Promise<Record<string, unknown>> {
    const { entryNames, recipientNames } = await import('../completion/names.ts');
    const names = what === 'recipients' ? await recipientNames() : await entryNames(of);
    for (const name of names) this.say(name);
    return { names };
  }

  async #script(shell: string | undefined): Promise<string> {
    const { completedCommands } = await import('../completion/model.ts');
    const commands = completedCommands(this.config.commands);
    switch (shell) {
      case 'bash':
        return (await import('../completion/bash.ts')).bashScript(commands);
      case 'zsh':
        return (await import('../completion/zsh.ts')).zshScript(commands);
      case 'fish':
        return (await import('../completion/fish.ts')).fishScript(commands);
      default: {
        const { CofferError } = await import('../../core/errors.ts');
        throw new CofferError('USAGE_SHELL', 'for which shell?', {
          advice: 'Name it: `coffer completion bash`, `zsh` or `fish`.',
          exit: 2,
        });
      }
    }
  }
}
