import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import type { ObjectType } from '../packs/pack.ts';
import { objectId } from './object-store.ts';

/**
 * Stores one object as a file of its own below `directory` (`.git/objects`) and returns its id; the file is on disk, whole,
 * under its name, or not there. One that is there already is left.
 */
export function writeLoose(directory: string, type: ObjectType, bytes: Buffer): string {
  const oid = objectId(type, bytes);
  const folder = join(directory, oid.slice(0, 2));
  const file = join(folder, oid.slice(2));
  if (existsSync(file)) return oid;
  mkdirSync(folder, { recursive: true });
  const temporary = join(folder, `tmp-${randomBytes(8).toString('hex')}`);
  const descriptor = openSync(temporary, 'wx', 0o444);
  try {
    writeFileSync(descriptor, deflateSync(Buffer.concat([Buffer.from(`${type} ${bytes.length}\0`), bytes])));
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, file);
  return oid;
}
