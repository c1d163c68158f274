import { milliseconds } from '../../../../core/duration.ts';
import { Bug, CofferError } from '../../../../core/errors.ts';
import { randomPassword } from '../../../../core/values/generate/random-text.ts';
import type { RotatorConfig } from '../../../config/settings.ts';
import type { Change, EntryValues, Retired, Rotator } from '../rotator.ts';
import { type Ending, runProgram } from './program.ts';
import { type Question, questionLines, readReply } from './protocol.ts';

export type CommandConfig = NonNullable<RotatorConfig['command']>;

const DEFAULT_TIMEOUT = '60s';
/** Characters of 62: 190 bits. */
const PASSWORD_LENGTH = 32;

/** A program of the operator's configuration, which is told of the new value on its standard input. */
export class CommandRotator implements Rotator {
  readonly name: string;
  readonly isConfined = false;
  readonly #config: CommandConfig;
  readonly #said: (line: string) => void;

  /** `said`: of a message that the program wants people to see. */
  constructor(name: string, config: CommandConfig | undefined, said: (line: string) => void) {
    if (config === undefined) throw new Bug('a rotator without its configuration');
    this.name = name;
    this.#config = config;
    this.#said = said;
  }

  entriesOf(entry: string): readonly string[] {
    return [entry];
  }

  next(_current: EntryValues, [entry]: readonly string[]): EntryValues {
    if (entry === undefined) throw new Bug('a rotation without its entry');
    return new Map([[entry, randomPassword(PASSWORD_LENGTH)]]);
  }

  async install(change: Change, signal: AbortSignal): Promise<void> {
    await this.#ask('install', change, false, signal);
  }

  async verify(change: Change, signal: AbortSignal): Promise<void> {
    await this.#ask('verify', change, false, signal);
  }

  async retire(change: Change, { isExposed }: { isExposed: boolean }, signal: AbortSignal): Promise<Retired> {
    await this.#ask('retire', change, isExposed, signal);
    return {};
  }

  async #ask(step: Question['step'], { former, next }: Change, isExposed: boolean, signal: AbortSignal): Promise<void> {
    const [entry, value] = next.entries().next().value ?? [];
    if (entry === undefined || value === undefined) throw new Bug('a change without its value');
    const question = { step, rotator: this.name, entry, isExposed };
    const input = questionLines(question, { former: former.get(entry), next: value });
    const timeout = milliseconds(this.#config.timeout ?? DEFAULT_TIMEOUT);
    try {
      this.#judge(step, await runProgram(this.#config.run, input, timeout, signal), [...former.values(), value]);
    } finally {
      input.fill(0);
    }
  }

  #judge(step: string, ending: Ending, values: readonly Buffer[]): void {
    if (ending.how !== 'exited') throw this.#failed(step, HOW[ending.how](ending), 'ROTATOR_COMMAND_UNANSWERED');
    const { result, messages } = readReply(ending.output, values);
    ending.output.fill(0);
    for (const message of messages) this.#said(`${this.name} (${step}): ${message}`);
    if (result === 'done' && ending.code === 0) return;
    if (result === 'failed') throw this.#failed(step, 'said that it failed');
    throw this.#failed(
      step,
      result === 'done' ? `said that it is done, and ended with ${ending.code}` : 'did not say that it is done',
    );
  }

  #failed(step: string, how: string, code = 'ROTATOR_COMMAND_FAILED'): CofferError {
    const [program = ''] = this.#config.run;
    return new CofferError(code, `The program of the rotator ${this.name}, ${program}, ${how} (${step}).`, {
      advice:
        'Read what it says in the log, and run it by hand as docs/rotation.md shows; the former value works meanwhile.',
      data: { path: program },
      loop: 'retry',
    });
  }
}

const HOW: { [How in Exclude<Ending['how'], 'exited'>]: (ending: Ending) => string } = {
  signal: (ending) => `was ended by ${'signal' in ending ? ending.signal : 'a signal'}`,
  late: () => 'did not end in time',
  talkative: () => 'printed far more than it has to say',
  'not-run': (ending) => `could not be run (${'code' in ending ? ending.code : ''})`,
};
