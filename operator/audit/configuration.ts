import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { AuditLog } from '../../core/audit/log.ts';
import type { AuditRecord } from '../../core/audit/record.ts';
import { CofferError } from '../../core/errors.ts';
import { fromSystemError } from '../../core/files/system-error.ts';
import { readPolicyFiles } from '../../core/trust/policy/policy-files.ts';
import { TextsFile } from './texts-file.ts';

/** What the operator goes by besides the repository. */
export interface ConfigurationFiles {
  /** The operator's own configuration, which is read at the start. */
  settings: string;
  pins: string;
  /** By source: the policy, with the files that it names. */
  policies: ReadonlyMap<string, string>;
}

/** Records what the operator goes by when it is another than in the run, or at the look, before: by digests of the files. */
export class Configuration {
  readonly #files: ConfigurationFiles;
  readonly #cluster: string;
  readonly #remembered: TextsFile;

  constructor(files: ConfigurationFiles, { cluster, stateDirectory }: { cluster: string; stateDirectory: string }) {
    this.#files = files;
    this.#cluster = cluster;
    this.#remembered = new TextsFile(stateDirectory, 'audit-configuration.json');
  }

  /** `first`: at the start, when the settings are read. Throws what `append` throws, and the disk. */
  async look(append: AuditLog['append'], first: 'first' | 'again'): Promise<void> {
    const before = await this.#remembered.read();
    const now = new Map(before);
    if (first === 'first') await note(now, 'settings', () => digestOf(this.#files.settings));
    await note(now, 'pins', () => digestOf(this.#files.pins));
    for (const [source, policy] of this.#files.policies) {
      await note(now, `policy ${source}`, async () => (await readPolicyFiles(policy)).digest);
    }
    const records = [...now].flatMap(([aspect, to]): AuditRecord[] => {
      const from = before.get(aspect);
      if (from === to) return [];
      const digests = from === undefined ? { to } : { from, to };
      return [{ event: 'configuration.changed', cluster: this.#cluster, aspect, ...digests }];
    });
    if (records.length > 0) {
      await append(records);
      // Before it is written: where the disk of the state is full, the log must not be told again at each look.
      this.#remembered.keep(now);
    }
    await this.#remembered.save();
  }
}

/** What cannot be read now is said by whoever needs it, and is no other configuration. */
async function note(digests: Map<string, string>, aspect: string, digest: () => Promise<string>): Promise<void> {
  try {
    digests.set(aspect, await digest());
  } catch (error) {
    if (!(error instanceof CofferError) && fromSystemError(error) === undefined) throw error;
  }
}

async function digestOf(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
}
