import { readFile } from 'node:fs/promises';
import { Bug, CofferError } from '../../../../core/errors.ts';
import { randomPassword } from '../../../../core/values/generate/random-text.ts';
import type { RotatorConfig } from '../../../config/settings.ts';

import type { Change, EntryValues, Retired, Rotator } from '../rotator.ts';
import { type ConnectionSettings, withConnection } from './connection.ts';
import { readConnectionUrl } from './connection-url.ts';
import { isIdentifier } from './identifier.ts';
import { scramVerifier } from './scram-verifier.ts';
import { AlternatingUsers } from './users.ts';

export type PostgresConfig = NonNullable<RotatorConfig['postgres']>;

/** Characters of 62: 190 bits. */
const PASSWORD_LENGTH = 32;

/** Two users of a PostgreSQL database that take turns: the one in use is never touched. */
export class PostgresRotator implements Rotator {
  readonly name: string;
  readonly isConfined = true;
  readonly #config: PostgresConfig;

  /** Throws ROTATOR_USER where a name cannot be one. */
  constructor(name: string, config: PostgresConfig) {
    if (!config.users.every(isIdentifier)) {
      throw new CofferError('ROTATOR_USER', `A user of the rotator ${name} has a name that PostgreSQL cannot have.`, {
        advice: 'Correct `users`: names of at most 63 bytes.',
        exit: 2,
        loop: 'stop',
      });
    }
    this.name = name;
    this.#config = config;
  }

  entriesOf(entry: string): readonly string[] {
    const { username, password } = this.#config.entries;
    if (entry === password) return [username, password];
    throw new CofferError('ROTATOR_ENTRY', `The rotator ${this.name} changes the entry ${password}, not ${entry}.`, {
      advice: `Put \`rotator: ${this.name}\` under the entry ${password}, or correct \`entries\` in the operator's configuration.`,
      data: { entry },
    });
  }

  next(current: EntryValues): EntryValues {
    const { users, entries } = this.#config;
    const used = current.get(entries.username)?.toString('utf8');
    const [first = '', second = ''] = users;
    return new Map([
      [entries.username, Buffer.from(used === first ? second : first)],
      [entries.password, randomPassword(PASSWORD_LENGTH)],
    ]);
  }

  async install(change: Change, signal: AbortSignal): Promise<void> {
    const { user, password } = this.#credential(change.next);
    this.#refuseInUse(user, change.former);
    const verifier = scramVerifier(password);
    await withConnection(await this.#settings(), signal, (connection) =>
      new AlternatingUsers(connection, this.#config.users).admit(user, verifier),
    );
  }

  async verify(change: Change, signal: AbortSignal): Promise<void> {
    const { user, password } = this.#credential(change.next);
    const as = { user, password: password.toString('latin1'), mustProve: true };
    await withConnection({ ...(await this.#settings()), ...as }, signal, async (connection) => {
      await connection.query('SELECT 1');
    });
  }

  async retire(change: Change, { isExposed }: { isExposed: boolean }, signal: AbortSignal): Promise<Retired> {
    const former = change.former.get(this.#config.entries.username)?.toString('utf8');
    // A user that is not one of ours is its owner's to retire.
    if (former === undefined || !this.#config.users.includes(former)) return {};
    this.#refuseInUse(former, change.next);
    const sessions = await withConnection(await this.#settings(), signal, (connection) =>
      new AlternatingUsers(connection, this.#config.users).retire(former, { endSessions: isExposed }),
    );
    const how = isExposed ? ', which the role of urlFile may not end (pg_signal_backend)' : '';
    return sessions === 0 ? {} : { remains: `${sessions} sessions of the database user ${former}${how}` };
  }

  /** Whatever else goes wrong, this must not. */
  #refuseInUse(user: string, used: EntryValues): void {
    const inUse = used.get(this.#config.entries.username)?.toString('utf8');
    if (!this.#config.users.includes(user) || user === inUse) throw new Bug('a user that is in use');
  }

  #credential(values: EntryValues): { user: string; password: Buffer } {
    const { username, password } = this.#config.entries;
    const [user, secret] = [values.get(username), values.get(password)];
    if (user === undefined || secret === undefined) throw new Bug('a change without its values');
    return { user: user.toString('utf8'), password: secret };
  }

  /** As the files are now: they may have changed. */
  async #settings(): Promise<ConnectionSettings> {
    const { urlFile, caFile } = this.#config;
    let text: string;
    try {
      text = await readFile(urlFile, 'utf8');
    } catch (cause) {
      throw new CofferError('ROTATOR_FILE', `The connection string of ${this.name}, ${urlFile}, cannot be read.`, {
        advice: 'Check `urlFile` of the rotator: a file that the operator may read.',
        data: { path: urlFile },
        loop: 'retry',
        cause,
      });
    }
    return { ...readConnectionUrl(text), ...(caFile === undefined ? {} : { caFile }) };
  }
}
