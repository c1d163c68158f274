import { type CompletedCommand, type CompletedFlag, type Completion, subcommands } from './model.ts';

/** One `complete` line for each thing that can be typed. */
export function fishScript(commands: readonly CompletedCommand[]): string {
  const summaries = new Map(commands.map(({ name, summary }) => [name, summary]));
  const words = [...subcommands(commands)].flatMap(([parent, children]) =>
    children.map((child) => {
      const summary = summaries.get(parent === '' ? child : `${parent} ${child}`) ?? '';
      return `complete -c coffer -f -n '__coffer_at "${parent}"' -a ${child}${described(summary)}`;
    }),
  );
  return `# coffer's completion for fish. In config.fish: coffer completion fish | source

# True where the words so far, without flags, are exactly these.
function __coffer_at
    set -l words (commandline -opc | string match -v -- '-*')
    test "$words[2..]" = "$argv[1]"
end

# True where the words so far, without flags, begin with these.
function __coffer_in
    set -l words (commandline -opc | string match -v -- '-*')
    set -l wanted (string split ' ' -- $argv[1])
    set -l last (math (count $wanted) + 1)
    test "$words[2..$last]" = "$argv[1]"
end

# The first argument of the command whose words are these: the file that entries are taken from.
function __coffer_file
    set -l words (commandline -opc | string match -v -- '-*')
    set -l wanted (string split ' ' -- $argv[1])
    set -l place (math (count $wanted) + 2)
    echo $words[$place]
end

complete -c coffer -f
${words.join('\n')}

${commands.flatMap(linesOf).join('\n')}
`;
}

function linesOf(command: CompletedCommand): string[] {
  const condition = `-n '__coffer_in "${command.name}"'`;
  const kinds = new Map(command.args.map((arg) => [JSON.stringify(arg), arg]));
  return [
    ...command.flags.map((flag) => flagLine(condition, command, flag)),
    ...[...kinds.values()].flatMap((arg) => {
      const source = sourceOf(arg, command.name);
      return source === '' ? [] : [`complete -c coffer ${condition} ${source}`];
    }),
  ];
}

function flagLine(condition: string, command: CompletedCommand, { name, char, summary, value }: CompletedFlag): string {
  const parts = ['complete -c coffer', condition, `-l ${name}`];
  if (char !== undefined) parts.push(`-s ${char}`);
  if (value !== undefined) parts.push('-r', sourceOf(value, command.name));
  return `${parts.filter((part) => part !== '').join(' ')}${described(summary)}`;
}

function sourceOf(completion: Completion, command: string): string {
  switch (completion.kind) {
    case 'files':
      return '-F';
    case 'folders':
      return "-f -a '(__fish_complete_directories)'";
    case 'recipients':
      return "-f -a '(coffer completion --list recipients 2>/dev/null)'";
    case 'entries':
      return `-f -a '(coffer completion --list entries --of (__coffer_file "${command}") 2>/dev/null)'`;
    case 'words':
      return `-f -a '${completion.words.join(' ')}'`;
    case 'nothing':
      return '';
  }
}

function described(summary: string): string {
  if (summary === '') return '';
  return ` -d '${summary.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
