import { CofferError } from '../core/errors.ts';
import { TOPICS } from './topics.ts';

/**
 * oclif's parse errors as ours, exit code 2. Their texts repeat what was typed, and what was typed in the wrong place
 * may be a secret: only names that the command itself defines are shown again.
 */
export function fromUsageError(error: unknown): CofferError | undefined {
  if (!(error instanceof Error)) return undefined;
  if (!('parse' in error)) return isOclifError(error) ? fromPlainOclifError(error) : undefined;
  const usage = (code: string, message: string, advice = 'Run the command with --help to see what it takes.') =>
    new CofferError(code, message, { advice, exit: 2 });

  if (isUnexpectedArgument(error)) {
    return usage(
      'USAGE_UNEXPECTED_ARGUMENT',
      'there are more arguments than the command takes',
      'Run the command with --help. A secret value is never an argument: give it by stdin, a file or at the prompt.',
    );
  }
  if ('args' in error && Array.isArray(error.args)) {
    const names = error.args.map(({ name }: { name: string }) => name.toUpperCase());
    if (names.length > 0) return usage('USAGE', `${names.join(' and ')} ${names.length > 1 ? 'are' : 'is'} missing`);
  }
  if ('flags' in error && Array.isArray(error.flags)) {
    return usage('USAGE_UNKNOWN_FLAG', `unknown flag: ${error.flags.map(flagName).join(', ')}`);
  }
  return usage('USAGE', withoutInput(error.message));
}

/** More arguments than the command takes. (Recognised by its fields, because the bundle shortens the names of classes.) */
export function isUnexpectedArgument(error: unknown): boolean {
  if (!(error instanceof Error) || !('parse' in error) || !('args' in error)) return false;
  return Array.isArray(error.args) && error.args.length > 0 && error.args.every((arg) => typeof arg === 'string');
}

function isOclifError(error: Error): boolean {
  return 'oclif' in error;
}

function fromPlainOclifError(error: Error): CofferError {
  const unknown = /^command (\S+) not found$/.exec(error.message);
  if (unknown !== null) {
    const [first = '', second] = (unknown[1] ?? '').split(':');
    // All words up to the first flag are its id, and those behind the command may be anything.
    const isTopic = Object.hasOwn(TOPICS, first) && second !== undefined;
    return new CofferError('USAGE_UNKNOWN_COMMAND', `there is no command ${isTopic ? `${first} ${second}` : first}`, {
      advice: `Run \`coffer ${isTopic ? `${first} ` : ''}--help\` to see the commands.`,
      exit: 2,
    });
  }
  return new CofferError('USAGE', withoutInput(error.message), { advice: 'Run `coffer --help`.', exit: 2 });
}

/** `--flag` of `--flag=value`. */
function flagName(flag: unknown): string {
  return String(flag).split('=')[0] ?? '';
}

/** `Expected --type=hunter2 to be one of: …` keeps the flag and the choices. */
function withoutInput(message: string): string {
  const text = message
    .replace(/\nSee more help with --help$/, '')
    .replace(/^The following error occurred:\s+Missing required flag ([-a-z]+)\s*$/, '--$1 is missing')
    .replace(/^Parsing (--[-a-z]+)\s+(Expected .*) but received: .*$/s, '$1: $2')
    .replace(/^Expected (--[-a-z]+)=.* to be one of:/s, 'Expected $1 to be one of:')
    .replace(/^Expected (?!--).* to be one of:/s, 'Expected the argument to be one of:')
    .replace(/(--[-a-z]+)=\S+/g, '$1');
  return text.charAt(0).toLowerCase() + text.slice(1);
}
