import { type CompletedCommand, type Completion, subcommands } from './model.ts';

/** Shell functions that bash and zsh read alike: what follows a topic, a command's places, a flag's value, and how a line is read. */
// Both shells let a function set the local variables of its caller.
const WORD = `# Takes a word before the cursor: what of command, file and place is known of the line, and whether the next is a flag's value.
__coffer_word() {
  if [[ -n "$skip" ]]; then
    skip=""
  elif [[ "$1" == -* ]]; then
    if [[ -n "$(__coffer_value "$command" "$1")" ]]; then skip=1; fi
  elif [[ -n "$(__coffer_subcommands "$command")" ]]; then
    command="\${command:+$command }$1"
  else
    if [[ -z "$file" ]]; then file="$1"; fi
    place=$((place + 1))
  fi
}`;

export function tables(commands: readonly CompletedCommand[]): string {
  return [
    '# The words that may follow these: "" after coffer itself.',
    '__coffer_subcommands() {',
    '  case "$1" in',
    ...[...subcommands(commands)].map(([parent, words]) => `    ${quote(parent)}) echo ${quote(words.join(' '))} ;;`),
    '  esac',
    '}',
    '',
    '# The flags of a command.',
    '__coffer_flags() {',
    '  case "$1" in',
    ...commands.map(({ name, flags }) => `    ${quote(name)}) echo ${quote(flags.flatMap(spellings).join(' '))} ;;`),
    '  esac',
    '}',
    '',
    '# What the arguments of a command are, in their order; "..." after one that may be repeated.',
    '__coffer_arguments() {',
    '  case "$1" in',
    ...commands.map(({ name, args, isVariadic }) => {
      const kinds = args.map((arg) => (arg.kind === 'words' ? `words:${arg.words.join(',')}` : arg.kind));
      return `    ${quote(name)}) echo ${quote([...kinds, ...(isVariadic ? ['...'] : [])].join(' '))} ;;`;
    }),
    '  esac',
    '}',
    '',
    '# What the value of a flag of a command is; nothing for a flag without one.',
    '__coffer_value() {',
    '  case "$1 $2" in',
    ...commands.flatMap(({ name, flags }) =>
      flags.flatMap((flag) => {
        if (flag.value === undefined) return [];
        const patterns = spellings(flag).map((spelling) => quote(`${name} ${spelling}`));
        return [`    ${patterns.join(' | ')}) echo ${quote(kind(flag.value))} ;;`];
      }),
    ),
    '  esac',
    '}',
    '',
    WORD,
  ].join('\n');
}

function spellings({ name, char }: { name: string; char?: string }): string[] {
  return [`--${name}`, ...(char === undefined ? [] : [`-${char}`])];
}

function kind(value: Completion): string {
  return value.kind === 'words' ? `words:${value.words.join(',')}` : value.kind;
}

export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
