import { createHash } from 'node:crypto';

/** Lines of ENTRY.previous; what `=` ends is a name, since no digest holds one. */
const FORMER = /^[^=\n]*\.previous=[^\n]*\n/gm;

/** What the Secrets hold, as keyed digests of their entries. */
export class HeldDigests {
  /** `NAMESPACE/NAME` → `ENTRY=DIGEST` lines, sorted: one string a Secret, for there may be many thousands. */
  readonly #secrets = new Map<string, string>();

  set(namespace: string, name: string, entries: ReadonlyMap<string, string>): void {
    const lines = Array.from(entries, ([entry, digest]) => `${entry}=${digest}\n`).sort();
    this.#secrets.set(`${namespace}/${name}`, lines.join(''));
  }

  delete(namespace: string, name: string): void {
    this.#secrets.delete(`${namespace}/${name}`);
  }

  /**
   * Of `SECRET` (all its entries) or `SECRET/ENTRY`; undefined: not there. The former values of rotation are left out of all: they come
   * with a new value, which counts, and nobody need be restarted because they go.
   */
  of(namespace: string, read: string): string | undefined {
    const [name = '', entry] = read.split('/');
    const lines = this.#secrets.get(`${namespace}/${name}`);
    if (entry === undefined) return lines === undefined ? undefined : shortDigest(lines.replace(FORMER, ''));
    const line = lines?.split('\n').find((text) => text.startsWith(`${entry}=`));
    return line === undefined ? undefined : shortDigest(line);
  }
}

/** Of what is keyed already: shorter, and safe in an annotation. */
export function shortDigest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}
