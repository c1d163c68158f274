import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';

/** An entry as somebody may write it who does not keep to the rules. */
export interface CraftedEntry {
  /** 1 commit, 2 tree, 3 blob, 4 tag, 6 delta against `back`, 7 delta against `base`. */
  kind: number;
  body: Uint8Array;
  /** Instead of the length of `body`. */
  size?: number;
  /** Index of the entry that a delta of kind 6 stands against. */
  back?: number;
  /** Name of the base of a delta of kind 7. */
  base?: string;
  /** Instead of `body` deflated. */
  deflated?: Uint8Array;
}

/** A pack of these entries, with its hash; `count` instead of how many there are. */
export function craftPack(entries: readonly CraftedEntry[], count = entries.length): Buffer {
  const head = Buffer.from('PACK\0\0\0\u0002\0\0\0\0', 'latin1');
  head.writeUInt32BE(count, 8);
  const parts: Buffer[] = [head];
  const offsets: number[] = [];
  let at = head.length;
  for (const entry of entries) {
    offsets.push(at);
    const written = Buffer.concat([
      variable(entry.kind, entry.size ?? entry.body.length),
      ...(entry.kind === 6 ? [distance(at - (offsets[entry.back ?? 0] ?? 0))] : []),
      ...(entry.kind === 7 ? [Buffer.from(entry.base ?? '', 'hex')] : []),
      entry.deflated ?? deflateSync(entry.body),
    ]);
    parts.push(written);
    at += written.length;
  }
  return sealPack(Buffer.concat(parts));
}

/** Puts the hash behind what is there. */
export function sealPack(body: Uint8Array): Buffer {
  return Buffer.concat([body, createHash('sha1').update(body).digest()]);
}

/** A delta between lengths: instructions that copy `[offset, length]` of the base, or bring bytes of their own. */
export function craftDelta(base: number, result: number, steps: readonly ([number, number] | Uint8Array)[]): Buffer {
  const parts = steps.map((step) => {
    if (step instanceof Uint8Array) return Buffer.concat([Buffer.from([step.length]), step]);
    const [offset, length] = step;
    const bytes = Buffer.alloc(8);
    bytes[0] = 0xff;
    bytes.writeUInt32LE(offset, 1);
    bytes.writeUIntLE(length === 0x10000 ? 0 : length, 5, 3);
    return bytes;
  });
  return Buffer.concat([number(base), number(result), ...parts]);
}

export function nameOf(type: string, body: Uint8Array): string {
  return createHash('sha1').update(`${type} ${body.length}\0`).update(body).digest('hex');
}

function variable(kind: number, size: number): Buffer {
  const bytes = [(kind << 4) | (size % 16)];
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) | 0x80;
    bytes.push(rest % 128);
  }
  return Buffer.from(bytes);
}

function number(value: number): Buffer {
  const bytes = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) | 0x80;
    bytes.push(rest % 128);
  }
  return Buffer.from(bytes);
}

/** Big end first, each further byte counts one more (git's pack-format page, "offset encoding"). */
function distance(back: number): Buffer {
  const bytes = [back % 128];
  for (let rest = Math.floor(back / 128); rest > 0; rest = Math.floor(rest / 128)) {
    rest -= 1;
    bytes.unshift((rest % 128) | 0x80);
  }
  return Buffer.from(bytes);
}
