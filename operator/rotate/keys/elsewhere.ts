import { mayNeed, sealedTo } from '../../../core/format/manifest/sealed-to.ts';
import { printable } from '../../../core/trust/printable.ts';
import type { Source } from '../../source/source.ts';

/** A manifest that was projected last, which its source may have no more. */
export interface LastGood {
  /** NAMESPACE/NAME */
  home: string;
  source: string;
  /** Of the source's repository, where there is no `text`. */
  blob: string;
  text?: string;
}

export interface Elsewhere {
  sources: readonly Source[];
  lastGood: () => Iterable<LastGood>;
  /** EncryptedSecret objects that others apply: NAMESPACE/NAME and the manifest. Throws where they cannot be listed now. */
  objects: () => Iterable<{ home: string; text: Buffer }>;
  /** Rotations of values that are under way, wherever they are kept: id → JSON text. */
  rotations: () => Promise<ReadonlyMap<string, string>>;
}

/**
 * What beside the accepted states of the sources is sealed to a key, for people.
 *
 * @throws CofferError FILE_SYSTEM, KUBERNETES_*: then nobody can say that nothing is
 */
export async function sealedElsewhere(kid: string, parts: Elsewhere): Promise<string[]> {
  const found: string[] = [];
  const repositories = new Map(parts.sources.map(({ id, repository }) => [id, repository]));
  for (const { home, source, blob, text } of parts.lastGood()) {
    const bytes = text === undefined ? await repositories.get(source)?.readBlob(blob) : Buffer.from(text);
    if (bytes !== undefined && isSealedTo(bytes, home, kid)) found.push(`what is projected of ${home}`);
  }
  for (const { home, text } of parts.objects()) {
    if (isSealedTo(text, home, kid)) found.push(`the EncryptedSecret ${home}`);
  }
  for (const [id, text] of await parts.rotations()) {
    if (isRotationSealedTo(text, kid)) found.push(`the rotation ${printable(id)}`);
  }
  return found;
}

/** Texts of manifests, stanzas and all else that stands in it, as JSON unescapes them. What is no JSON may be sealed to any key. */
function isRotationSealedTo(text: string, kid: string): boolean {
  let isSealed = false;
  try {
    JSON.parse(text, (_, value: unknown) => {
      isSealed ||= typeof value === 'string' && isSealedTo(Buffer.from(value), 'the rotation', kid);
    });
    return isSealed;
  } catch (error) {
    if (error instanceof SyntaxError) return true;
    throw error;
  }
}

function isSealedTo(bytes: Buffer, file: string, kid: string): boolean {
  return mayNeed(sealedTo(bytes, file), kid);
}
