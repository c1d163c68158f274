/** The command line of the ejson tool, flag for flag, in terms that oclif parses. */

import { Flags } from '@oclif/core';

/** The tool's global flag: in front of the command or after it. The directory holds a file for each key. */
export const keydirFlag = Flags.string({
  char: 'k',
  env: 'EJSON_KEYDIR',
  // The tool's own default.
  default: '/opt/ejson/keys',
  helpValue: 'DIR',
  description: 'directory of ejson private keys',
});

const COMMANDS: Record<string, string> = { e: 'encrypt', d: 'decrypt', g: 'keygen' };
const LONG_FLAGS = new Set(['keydir', 'key-from-stdin', 'write', 'json', 'help']);
const SHORT_FLAGS = new Set(['k', 'o', 'w', 'h']);
const WITH_VALUE = new Set(['keydir', 'k', 'o']);

/**
 * `ejson -keydir DIR d FILE` as `ejson decrypt --keydir DIR FILE`. The tool is written in Go, where one dash and two are
 * the same, and takes its global flag in front of the command. What it does not know is left for oclif to refuse.
 */
export function ejsonArguments(argv: readonly string[]): string[] {
  const flags: string[] = [];
  let command: string | undefined;
  const rest: string[] = [];
  for (let index = 1; index < argv.length; index++) {
    const argument = argv[index] ?? '';
    if (argument === '--') {
      rest.push(...argv.slice(index));
      break;
    }
    const flag = /^--?([a-z][-a-z]*)(=.*)?$/s.exec(argument);
    if (flag === null) {
      if (command === undefined) command = COMMANDS[argument] ?? argument;
      else rest.push(argument);
      continue;
    }
    const target = command === undefined ? flags : rest;
    const [, name = '', value] = flag;
    if (LONG_FLAGS.has(name)) target.push(`--${name}${value ?? ''}`);
    else if (SHORT_FLAGS.has(name)) target.push(`-${name}`, ...(value === undefined ? [] : [value.slice(1)]));
    else target.push(argument);
    if (WITH_VALUE.has(name) && value === undefined && index + 1 < argv.length) target.push(argv[++index] ?? '');
  }
  return ['ejson', ...(command === undefined ? [] : [command]), ...flags, ...rest];
}
