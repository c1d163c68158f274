import { type ParseArgsConfig, parseArgs } from 'node:util';
import { CofferError } from '../../core/errors.ts';

type OptionsConfig = NonNullable<ParseArgsConfig['options']>;

/** Options of a command line, without further arguments. Throws CofferError `ARGUMENTS_INVALID`; `program` is who has the help. */
export function parseOptions<const Options extends OptionsConfig>(
  argv: readonly string[],
  options: Options,
  program: string,
) {
  return parsed(program, () => parseArgs({ args: [...argv], options, strict: true }).values);
}

/** The same with what stands beside the options: a command and its arguments. */
export function parseCommand<const Options extends OptionsConfig>(
  argv: readonly string[],
  options: Options,
  program: string,
) {
  return parsed(program, () => parseArgs({ args: [...argv], options, strict: true, allowPositionals: true }));
}

function parsed<Result>(program: string, parse: () => Result): Result {
  try {
    return parse();
  } catch (error) {
    if (error instanceof TypeError && 'code' in error)
      throw wrongUsage('an argument is not known here, or lacks its value', program);
    throw error;
  }
}

export function wrongUsage(what: string, program: string): CofferError {
  return new CofferError('ARGUMENTS_INVALID', `Wrong usage: ${what}.`, {
    advice: `See ${program} --help.`,
    exit: 2,
    loop: 'stop',
  });
}
