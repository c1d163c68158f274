import type { AuditLog } from '../../core/audit/log.ts';
import type { AuditRecord, KeyChange } from '../../core/audit/record.ts';
import { readRepositorySettings } from '../source/repository-settings.ts';
import type { Accepted, Source } from '../source/source.ts';
import { Remembered } from './remembered.ts';

/** Of the keys of one source: more than any keyring has, and few enough that a commit cannot fill the log. */
const MOST = 5000;

const SAID = { active: 'listed', retired: 'retired', revoked: 'revoked' } as const satisfies Record<string, KeyChange>;

/** Records what the keyrings of accepted commits say of anybody's keys, when they say something else than before. */
export class KeyringChanges {
  readonly #cluster: string;
  readonly #sources: readonly Source[];
  /** `SOURCE RECIPIENT KID` → what was said. */
  readonly #remembered: Remembered;
  /** Source → the tree that was looked at. */
  readonly #seen = new Map<string, string>();

  constructor(sources: readonly Source[], { cluster, stateDirectory }: { cluster: string; stateDirectory: string }) {
    this.#sources = sources;
    this.#cluster = cluster;
    this.#remembered = new Remembered(stateDirectory, 'audit-keyrings.json');
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

  async #lookAt(source: Source, state: Accepted, audit: Pick<AuditLog, 'append'>): Promise<void> {
    const { keyring, problems } = await readRepositorySettings(source.repository, state.tree, new Map());
    // A file that cannot be read counts as it was before.
    if (problems.length > 0) return;
    const before = await this.#remembered.read();
    const after = new Map([...before].filter(([key]) => !key.startsWith(`${source.id} `)));
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
    for (const { name, keys } of keyring.recipients.values()) {
      for (const { kid, status } of keys) {
        const key = `${source.id} ${name} ${kid}`;
        if (after.size >= MOST) break;
        after.set(key, SAID[status]);
        if (before.get(key) !== SAID[status]) tell(name, kid, SAID[status]);
      }
    }
    for (const [key] of before) {
      const [id, name = '', kid = ''] = key.split(' ');
      if (id === source.id && !after.has(key)) tell(name, kid, 'unlisted');
    }
    if (records.length === 0) return;
    await audit.append(records);
    // Before it is written: where the disk of the state is full, the log must not be told again at each look.
    this.#remembered.keep(after);
  }
}
