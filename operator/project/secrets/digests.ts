import { createHmac } from 'node:crypto';
import type { ProjectedSecret, Provenance } from '../projector.ts';
import type { DigestKey } from './digest-key.ts';
import type { Mark } from './marks.ts';
import type { SecretObject } from './secret-object.ts';

/** What a Secret holds, as digests: they tell whether it is the same, and nothing else. */
export interface ContentDigest {
  /** Of everything, the Secret's name and type with it. */
  whole: string;
  /** Name → of its value. */
  entries: ReadonlyMap<string, string>;
}

interface Place {
  namespace: string;
  name: string;
}

/** Of a digest of one entry: enough to tell values apart. */
const ENTRY_BYTES = 16;

/** Digests (HMAC-SHA256) under the cluster's digest key; each of its own domain, lists unambiguous by JSON. */
export class Digests {
  readonly #key: Buffer;

  constructor({ bytes }: DigestKey) {
    this.#key = bytes;
  }

  ofValues(place: Place, type: string, values: ReadonlyMap<string, Uint8Array>): ContentDigest {
    return this.#content(place, type, [...values.keys()], (name) => values.get(name) ?? new Uint8Array());
  }

  /** Of what is there. Its values are strings already; the bytes made of them are wiped. */
  ofSecret({ metadata, type = 'Opaque', data = {} }: SecretObject): ContentDigest {
    const place = { namespace: metadata.namespace ?? '', name: metadata.name };
    return this.#content(place, type, Object.keys(data), (name) => Buffer.from(data[name] ?? '', 'base64'), true);
  }

  /**
   * Of all that a manifest makes of a Secret. Its stanzas are left out: a data key's id, which every sealed text names, commits to
   * the key (docs/format.md, "Data keys"), so rewrapping changes nothing that is projected.
   */
  ofManifest(secret: ProjectedSecret, provenance: Provenance): string {
    const { namespace, name, type, deletionPolicy, template, entries } = secret;
    const sealed = [...entries].map(([entry, value]) => [entry, value.kind === 'sealed' ? value.text : '']);
    const { source, path, index } = provenance;
    const parts = [namespace, name, type, deletionPolicy, source, path, index, sealed];
    const { data, labels, annotations } = template;
    return this.#mac('manifest', JSON.stringify([...parts, [...data], [...labels], [...annotations]]));
  }

  /** Proves of a Secret that it was ours; of no other that bears a copy. */
  ofRetained(namespace: string, name: string, uid: string): string {
    return this.#mac('retained', JSON.stringify([namespace, name, uid]));
  }

  /** Proves of a Secret's mark that the operator wrote it, there. */
  ofMark(
    { namespace, name }: Place,
    { homeNamespace, provenance: { source, path, index, commit = '' } }: Mark,
  ): string {
    return this.#mac('mark', JSON.stringify([namespace, name, homeNamespace, source, path, index, commit]));
  }

  #content(
    { namespace, name }: Place,
    type: string,
    names: readonly string[],
    read: (name: string) => Uint8Array,
    isToWipe = false,
  ): ContentDigest {
    const entries = new Map<string, string>();
    for (const entry of names.toSorted()) {
      const value = read(entry);
      const mac = createHmac('sha256', this.#key).update(`coffer/entry\0${JSON.stringify([namespace, name, entry])}\0`);
      entries.set(entry, mac.update(value).digest().subarray(0, ENTRY_BYTES).toString('base64url'));
      if (isToWipe) value.fill(0);
    }
    return { whole: this.#mac('content', JSON.stringify([namespace, name, type, [...entries]])), entries };
  }

  #mac(domain: string, text: string): string {
    return createHmac('sha256', this.#key).update(`coffer/${domain}\0`).update(text).digest('base64url');
  }
}
