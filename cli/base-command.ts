import { Args, Command, Flags } from '@oclif/core';
import { type ErrorReport, errorReport, exitCodeOf, paint, renderError, renderWarning } from './output.ts';

export { Args, Flags };

/** `--key-dir` of the commands that open. */
export const keyDirectoryFlag = Flags.string({
  description: 'folder of secret keys (default: COFFER_KEY_DIR, else the keys folder in your coffer configuration)',
  helpValue: 'DIR',
});

/** `--as` of the commands that open. */
export const asFlag = Flags.string({
  description: 'the recipient whose keys these are, for a file outside of a repository',
  helpValue: 'RECIPIENT',
});

/**
 * What every command shares: `--json`, errors and exit codes. A command parses, calls core, writes for people through
 * `this.say`/`this.note`, and returns the object that `--json` prints. It imports core inside `run()`: all commands are
 * loaded on every start.
 *
 * Exit codes: 0 done, 1 the answer is no, 2 wrong usage, 3 cannot.
 */
export abstract class BaseCommand extends Command {
  static override enableJsonFlag = true;

  #errors: ErrorReport[] = [];

  abstract override run(): Promise<Record<string, unknown>>;

  /** The result, for people: standard output, silent with `--json`. */
  protected say(line: string): void {
    if (!this.jsonEnabled()) process.stdout.write(`${line}\n`);
  }

  /** What was done, for people: standard error, so that a pipe gets only results; silent with `--json`. */
  protected note(line: string): void {
    if (!this.jsonEnabled()) process.stderr.write(`${line}\n`);
  }

  /** Something that deserves a look and is no error; goes to standard error with `--json` too. */
  override warn(message: string): string {
    process.stderr.write(renderWarning(message, process.stderr));
    return message;
  }

  /** Tells of an error and goes on; the exit code is that of the worst one. For commands that work on many files. */
  protected report(error: unknown): void {
    this.#errors.push(errorReport(error));
    this.failWith(exitCodeOf(error));
    if (!this.jsonEnabled()) process.stderr.write(renderError(error, process.stderr));
  }

  /** The errors told so far, for the result of `--json`. */
  protected get reported(): readonly ErrorReport[] {
    return this.#errors;
  }

  /** The command did its work and the answer is no: exit code 1. */
  protected answerNo(): void {
    this.failWith(1);
  }

  protected failWith(code: number): void {
    process.exitCode = Math.max(code, Number(process.exitCode ?? 0));
  }

  protected emphasise(text: string): string {
    return paint('bold', text);
  }

  override logJson(json: unknown): void {
    process.stdout.write(`${JSON.stringify(json, null, 2)}\n`);
  }

  // oclif would spread every field of the error into the JSON and print its own text.
  override async catch(error: unknown): Promise<void> {
    process.exitCode = exitCodeOf(error);
    if (this.jsonEnabled()) this.logJson({ error: errorReport(error) });
    else process.stderr.write(renderError(error, process.stderr));
    this.parsed = true;
  }
}
