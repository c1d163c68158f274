import type { Command, Interfaces } from '@oclif/core';

type Flag = Command.Flag.Any;

/**
 * What oclif's help makes badly of a command: it keeps the line ends of the source within a paragraph, whatever the width of
 * the terminal, and its line of usage loses flags that exclude or need each other more than once.
 */
export function giveHelpTexts(command: Command.Class): void {
  command.description = command.description?.replaceAll(/(?<=\S)\n(?=\S)/g, ' ');
  // Only help asks for it, and all commands come by here at every start.
  Object.defineProperty(command, 'usage', { enumerable: true, get: () => usageOf(command) });
}

/** `FILE [ENTRY] --like OTHER [--due | --collect]`: what is required first; of flags in one bracket one may be given. */
export function usageOf(command: Command.Class): string {
  const flags: [string, Flag][] = Object.entries(command.flags ?? {});
  const isRequired = ([, flag]: [string, Flag]) => flag.required === true;
  return [
    ...Object.entries(command.args ?? {}).map(([name, arg]) => argumentOf(name, arg, command.strict === false)),
    ...flags.filter(isRequired).map((flag) => wordOf(...flag)),
    ...alternatives(flags.filter((flag) => !isRequired(flag))).map((group) => `[${group.join(' | ')}]`),
  ].join(' ');
}

function argumentOf(name: string, arg: Interfaces.Arg<unknown>, isMany: boolean): string {
  const word = `${name.toUpperCase()}${isMany || arg.multiple === true ? '...' : ''}`;
  return arg.required === true ? word : `[${word}]`;
}

function wordOf(name: string, flag: Flag): string {
  const word =
    flag.char === undefined ? `--${flag.type === 'boolean' && flag.allowNo ? '[no-]' : ''}${name}` : `-${flag.char}`;
  if (flag.type === 'boolean') return word;
  const value = flag.helpValue ?? flag.options?.join('|') ?? 'VALUE';
  return `${word} ${String(value)}${flag.multiple === true ? '...' : ''}`;
}

/** Each flag once, together with those of which each excludes each. */
function alternatives(flags: readonly [string, Flag][]): string[][] {
  const groups: [string, Flag][][] = [];
  for (const one of flags) {
    const group = groups.find((others) => others.every((other) => excludes(one, other)));
    if (group === undefined) groups.push([one]);
    else group.push(one);
  }
  return groups.map((group) => group.map((flag) => wordOf(...flag)));
}

function excludes([name, flag]: [string, Flag], [otherName, other]: [string, Flag]): boolean {
  return flag.exclusive?.includes(otherName) === true || other.exclusive?.includes(name) === true;
}
