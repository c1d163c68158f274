/** What a proposal is applied to in tests: paths and texts, as a commit has them. */
import type { Manifest } from '../../core/format/manifest/manifest.ts';
import { manifestProblems } from '../../core/format/manifest/read-manifest.ts';
import { namesDataKey, type ProposalBase } from '../../core/rotation/proposal.ts';

export class Files implements ProposalBase {
  readonly #files: Map<string, string>;

  constructor(files: ReadonlyMap<string, string>) {
    this.#files = new Map(files);
  }

  async read(path: string): Promise<Buffer | undefined> {
    const text = this.#files.get(path);
    return text === undefined ? undefined : Buffer.from(text);
  }

  async naming(ids: ReadonlySet<string>): Promise<readonly string[]> {
    return this.manifests.filter((path) => namesDataKey(this.bytes(path), ids));
  }

  get paths(): string[] {
    return [...this.#files.keys()].toSorted();
  }

  get manifests(): string[] {
    return this.paths.filter((path) => !path.startsWith('.coffer/'));
  }

  text(path: string): string {
    return this.#files.get(path) ?? '';
  }

  bytes(path: string): Buffer {
    return Buffer.from(this.text(path));
  }

  set(path: string, text: string | undefined): void {
    if (text === undefined) this.#files.delete(path);
    else this.#files.set(path, text);
  }

  take(changes: ReadonlyMap<string, Buffer | undefined>): void {
    for (const [path, bytes] of changes) this.set(path, bytes?.toString());
  }

  copy(): Files {
    return new Files(this.#files);
  }

  /** Of every manifest that can be read: data key id → kid. */
  stanzasOf(recipient: string): Map<string, string> {
    const found = new Map<string, string>();
    for (const path of this.manifests) {
      for (const { stanzas, recipients } of manifestsOf(this, path)) {
        if (!recipients.includes(recipient)) continue;
        for (const [id, row] of stanzas) found.set(id, row.get(recipient)?.kid ?? 'none');
      }
    }
    return found;
  }
}

/** Those that can be read. */
export function manifestsOf(files: Files, path: string): readonly Manifest[] {
  return manifestProblems(files.bytes(path), path).file.manifests;
}
