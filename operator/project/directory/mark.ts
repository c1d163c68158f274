import { closeSync, fstatSync, readFileSync } from 'node:fs';
import { objectOf, parseJson } from '../../../core/json.ts';
import { MANIFEST_NAME, NAME } from '../../../schemas/grammar.ts';
import { type Anchor, systemCode } from '../folder/open-folder.ts';
import type { SecretName } from '../projector.ts';

/** A small file by which this operator knows again, after a restart, what it made. Only its own user can make one. */
export interface RootMark {
  coffer: 'projection';
  cluster: string;
}

export interface SecretMark {
  coffer: 'secret';
  namespace: string;
  name: string;
}

const MARK_BYTES = 1024;

export function markBytes(mark: RootMark | SecretMark): Buffer {
  return Buffer.from(`${JSON.stringify(mark)}\n`);
}

/** undefined without a mark, or with one that is not exactly as this operator writes it. */
export function readRootMark(folder: Anchor, file: string): RootMark | undefined {
  const { coffer, cluster } = readMark(folder, file);
  return coffer === 'projection' && typeof cluster === 'string' ? { coffer, cluster } : undefined;
}

/** As `readRootMark`. */
export function readSecretMark(folder: Anchor, file: string): SecretName | undefined {
  const { coffer, namespace, name } = readMark(folder, file);
  if (coffer !== 'secret' || typeof namespace !== 'string' || typeof name !== 'string') return undefined;
  return new RegExp(NAME).test(namespace) && new RegExp(MANIFEST_NAME).test(name) ? { namespace, name } : undefined;
}

function readMark(folder: Anchor, file: string): Record<string, unknown> {
  let descriptor: number;
  try {
    descriptor = folder.openFile(file);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return {};
  }
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile() || stat.uid !== process.geteuid?.() || stat.size > MARK_BYTES) return {};
    return objectOf(parseJson(readFileSync(descriptor, 'utf8')));
  } finally {
    closeSync(descriptor);
  }
}
