import { CofferError } from '../../core/errors.ts';
import { SerialQueue } from '../../core/serial-queue.ts';
import type { Chore } from '../chores/chore.ts';
import type { Source } from '../source/source.ts';
import { KeyringChanges } from './keyring-changes.ts';
import type { OperatorRecord } from './open-record.ts';

/** Records what changed beside the secrets: what the operator goes by, and what keyrings say of keys. A chore. */
export class RecordChore implements Chore {
  readonly #record: OperatorRecord;
  readonly #keyrings: KeyringChanges;
  /** Polls of several sources end at the same time, and what is new is told once. */
  readonly #turns = new SerialQueue();
  #trouble: CofferError | undefined;

  constructor(record: OperatorRecord, sources: readonly Source[], at: { cluster: string; stateDirectory: string }) {
    this.#record = record;
    this.#keyrings = new KeyringChanges(sources, at);
  }

  look(): Promise<void> {
    return this.#turns.take(() => this.#look());
  }

  async #look(): Promise<void> {
    const { configuration, log } = this.#record;
    try {
      await configuration.look((records) => log.append(records), 'again');
      await this.#keyrings.look(log);
      this.#trouble = undefined;
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      this.#trouble = error;
    }
  }

  troubles(): readonly CofferError[] {
    const known = [...this.#record.troubles(), ...this.#keyrings.troubles()];
    const own = this.#trouble;
    return own === undefined || known.some(({ code }) => code === own.code) ? known : [...known, own];
  }
}
