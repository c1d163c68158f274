import type { Tree, TreeFile } from '../../core/check/tree.ts';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import { sealPlaintext } from '../../core/format/edit/seal.ts';
import { readManifestFile } from '../../core/format/manifest/read-manifest.ts';
import { createRecipient } from '../../core/keys/create.ts';
import { activeKey, type Recipient } from '../../core/keys/recipient.ts';
import { renderRecipient } from '../../core/keys/recipient-text.ts';

await sodiumReady();

const CREATED = '2026-11-21T09:00:00Z';
const CONFIG = `apiVersion: coffer.dev/v1
kind: Config
metadata: {name: repository}
spec:
  repository: AAAAAAAAAAAAAAAAAAAAAA
`;

/** A repository that is nowhere but in memory: its keyring, its configuration, and files that tests put there. */
export class MemoryRepository implements Tree {
  readonly files = new Map<string, TreeFile>();
  readonly recipients = new Map<string, Recipient>();
  readonly #bytes = new Map<string, Buffer>();

  constructor(names: readonly string[]) {
    this.write('.coffer/config.yaml', CONFIG);
    for (const name of names) this.addRecipient(name);
  }

  addRecipient(name: string): Recipient {
    const { recipient } = createRecipient({ name, type: 'cluster', created: CREATED });
    this.setRecipient(recipient);
    return recipient;
  }

  setRecipient(recipient: Recipient): void {
    this.recipients.set(recipient.name, recipient);
    this.write(`.coffer/recipients/${recipient.name}.yaml`, renderRecipient(recipient));
  }

  /** Adds lines to the configuration's `spec`. */
  configure(lines: string): void {
    this.write('.coffer/config.yaml', `${CONFIG}${lines}`);
  }

  write(path: string, content: string | Buffer): void {
    this.files.set(path, { path, kind: 'file' });
    this.#bytes.set(path, Buffer.from(content));
  }

  link(path: string, target: string): void {
    this.files.set(path, { path, kind: 'symlink' });
    this.#bytes.set(path, Buffer.from(target));
  }

  text(path: string): string {
    return this.#bytes.get(path)?.toString('utf8') ?? '';
  }

  /** Writes a manifest with its plaintext values sealed to the recipients that it lists. */
  seal(path: string, manifest: string): void {
    const file = readManifestFile(Buffer.from(manifest), path);
    const keysFor = ({ recipients }: { recipients: readonly string[] }) =>
      recipients.flatMap((recipient) => {
        const known = this.recipients.get(recipient);
        const key = known === undefined ? undefined : activeKey(known);
        return key === undefined ? [] : [{ recipient, kid: key.kid, publicKey: key.publicKey }];
      });
    this.write(path, sealPlaintext(file, keysFor).text);
  }

  async read(files: readonly TreeFile[]): Promise<(Buffer | undefined)[]> {
    return files.map(({ path }) => this.#bytes.get(path));
  }
}

/** The text of a manifest with plaintext values. */
export function manifestText(wanted: {
  name?: string;
  namespace?: string;
  recipients?: readonly string[];
  readers?: string;
  data?: Record<string, string>;
  /** Further lines of `spec`, indented by two spaces. */
  more?: string;
}): string {
  const {
    name = 'payments-db',
    namespace = 'payments',
    recipients = ['production', 'staging'],
    readers = '[{name: payments-api}]',
    data = { password: 'hunter2', username: 'app' },
    more = '',
  } = wanted;
  return `apiVersion: coffer.dev/v1
kind: EncryptedSecret
metadata:
  name: ${name}
  namespace: ${namespace}
spec:
  recipients: [${recipients.join(', ')}]
  readers: ${readers}
${more}  data:
${Object.entries(data)
  .map(([entry, value]) => `    ${entry}: ${JSON.stringify(value)}\n`)
  .join('')}`;
}
