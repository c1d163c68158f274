import { posix } from 'node:path';
import type { AuditLog } from '../../core/audit/log.ts';
import type { AuditRecord, KeyChange } from '../../core/audit/record.ts';
import { CofferError } from '../../core/errors.ts';
import { printable } from '../../core/trust/printable.ts';
import { readRepositorySettings } from '../source/repository-settings.ts';
import type { Accepted, Source } from '../source/source.ts';
import { TextsFile } from './texts-file.ts';

/** Of the keys of one source: more than any keyring has, and few enough that a commit cannot fill the log. */
const MOST = 5000;

const SAID = { active: 'listed', retired: 'retired', revoked: 'revoked' } as const satisfies Record<string, KeyChange>;

/** Records what the keyrings of accepted commits say of anybody's keys, when they say something else than before. */
export class KeyringChanges {
  readonly #cluster: string;
  readonly #sources: readonly Source[];
  readonly #most: number;
  /** `SOURCE RECIPIENT KID` → what was said. */
  readonly #remembered: TextsFile;
  /** Source → the tree that was looked at. */
  readonly #seen = new Map<string, string>();
  /** Source → that its keyring has more keys than are followed. */
  readonly #cut = new Map<string, CofferError>();

  constructor(
    sources: readonly Source[],
    { cluster, stateDirectory }: { cluster: string; stateDirectory: string },
    most = MOST,
  ) {
    this.#sources = sources;
    this.#most = most;
    this.#cluster = cluster;
    this.#remembered = new TextsFile(stateDirectory, 'audit-keyrings.json');
  }

  /** Cheap where no source has another state. Throws what the log, the disk and the repository throw. */
  async look(audit: Pick<AuditLog, 'append'>): Promise<void> {
    for (const source of this.#sources) {
      const state = await source.accepted();
      if (state === undefined || this.#seen.get(source.id) === state.tree) continue;
      await this.#lookAt(source, state, audit);
      this.#seen.set(source.id, state.tree);
    }
    await this.#remembered.save();
  }

  /** AUDIT_KEYS_CUT. */
  troubles(): readonly CofferError[] {
    return [...this.#cut.values()];
  }

  async #lookAt(source: Source, state: Accepted, audit: Pick<AuditLog, 'append'>): Promise<void> {
    const { keyring, problems } = await readRepositorySettings(source.repository, state.tree, new Map());
    const before = await this.#remembered.read();
    const isOwn = (key: string) => key.startsWith(`${source.id} `);
    const others = [...before].filter(([key]) => !isOwn(key));
    const after = new Map<string, string>();
    const records: AuditRecord[] = [];
    const tell = (recipient: string, kid: string, change: KeyChange) => {
      const { commit, time, signer } = state;
      const author = { name: state.author.name, email: state.author.email };
      records.push({
        ...{ event: 'key.changed', change, cluster: this.#cluster, recipient, keyIds: [kid], source: source.id },
        ...{ commit, author, committed: new Date(time * 1000).toISOString() },
        ...(signer === undefined ? {} : { signer: { names: [...signer.names], key: signer.key } }),
      });
    };
    const listed = new Map<string, { name: string; kid: string; said: KeyChange }>(
      [...keyring.recipients.values()].flatMap(({ name, keys }) =>
        keys.map(({ kid, status }) => [`${source.id} ${name} ${kid}`, { name, kid, said: SAID[status] }] as const),
      ),
    );
    // A file that cannot be read says what it said before.
    const unread = new Set(problems.map(({ data }) => posix.basename(data.file ?? '', '.yaml')));
    for (const [key, said] of before) {
      if (!isOwn(key)) continue;
      const [, name = '', kid = ''] = key.split(' ');
      if (listed.has(key) || unread.has(name)) after.set(key, said);
      else tell(name, kid, 'unlisted');
    }
    let left = 0;
    for (const [key, { name, kid, said }] of listed) {
      // Those that are followed already stay so: whoever adds many must not hide what becomes of others.
      if (!after.has(key) && after.size >= this.#most) left += 1;
      else {
        if (before.get(key) !== said) tell(name, kid, said);
        after.set(key, said);
      }
    }
    if (left > 0) this.#cut.set(source.id, cut(source, left, this.#most));
    else this.#cut.delete(source.id);
    if (records.length === 0) return;
    await audit.append(records);
    // Before it is written: where the disk of the state is full, the log must not be told again at each look.
    this.#remembered.keep(new Map([...others, ...after]));
  }
}

function cut({ id }: Source, left: number, most: number): CofferError {
  return new CofferError('AUDIT_KEYS_CUT', `${left} keys of the keyring of ${printable(id)} are not followed.`, {
    advice: `The record follows ${most} keys of a keyring: what becomes of the others is not in it. Look who added so many.`,
    data: { source: id },
  });
}
