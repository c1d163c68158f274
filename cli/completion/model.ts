import type { Command } from '@oclif/core';

/** What can be typed at a place of the command line. */
export type Completion =
  | { kind: 'words'; words: readonly string[] }
  /** `recipients` and `entries` are asked of coffer itself: `coffer completion --list`. */
  | { kind: 'files' | 'folders' | 'recipients' | 'entries' | 'nothing' };

export interface CompletedFlag {
  name: string;
  char?: string;
  summary: string;
  /** Absent: it takes no value. */
  value?: Completion;
}

export interface CompletedCommand {
  /** `recipients create` */
  name: string;
  summary: string;
  flags: CompletedFlag[];
  args: Completion[];
  /** The last argument may be repeated. */
  isVariadic: boolean;
}

/** What the shells have to know, from what the commands say of themselves for their help. */
export function completedCommands(commands: readonly Command.Loadable[]): CompletedCommand[] {
  return commands
    .filter(({ hidden }) => hidden !== true)
    .map((command) => ({
      name: command.id.replaceAll(':', ' '),
      summary: oneLine(command.summary),
      flags: [...Object.values(command.flags).flatMap(flagOf), { name: 'help', summary: 'show help' }],
      args: Object.values(command.args).map((arg) =>
        arg.options === undefined ? kindOf(arg.name) : words(arg.options),
      ),
      isVariadic: command.strict === false,
    }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** The words that may stand after `coffer`, or after `coffer TOPIC`. */
export function subcommands(commands: readonly CompletedCommand[]): Map<string, string[]> {
  const found = new Map<string, Set<string>>();
  for (const { name } of commands) {
    const parts = name.split(' ');
    for (const [depth, part] of parts.entries()) {
      const parent = parts.slice(0, depth).join(' ');
      found.set(parent, (found.get(parent) ?? new Set()).add(part));
    }
  }
  return new Map([...found].map(([parent, children]) => [parent, [...children].toSorted()]));
}

function flagOf(flag: Command.Flag.Cached): CompletedFlag[] {
  if (flag.hidden === true) return [];
  const named = {
    name: flag.name,
    summary: oneLine(flag.summary ?? flag.description),
    ...(flag.char === undefined ? {} : { char: flag.char }),
  };
  if (flag.type === 'boolean') return [named];
  const value: Completion =
    flag.options === undefined ? kindOf(String(flag.helpValue ?? flag.name)) : words(flag.options);
  return [{ ...named, value }];
}

/** Arguments and the values of flags have telling names; the same ones that help shows. */
function kindOf(name: string): Completion {
  switch (name.toLowerCase()) {
    case 'file':
    case 'path':
    case 'revision':
    case 'out':
      return { kind: 'files' };
    case 'dir':
      return { kind: 'folders' };
    case 'recipient':
    case 'member':
    case 'group':
    case 'other':
    case 'old':
    case 'new':
      return { kind: 'recipients' };
    case 'entry':
      return { kind: 'entries' };
    default:
      return { kind: 'nothing' };
  }
}

function oneLine(text: string | undefined): string {
  return (text ?? '').split('\n')[0] ?? '';
}

function words(choices: readonly string[]): Completion {
  return { kind: 'words', words: choices };
}
