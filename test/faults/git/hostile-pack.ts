/** Packs as no git makes them, and the answers of an upload-pack that sends them. The format: git's gitformat-pack(5). */
import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import type { WorkTree } from '../../servers/work-tree.ts';

const TYPES = { commit: 1, tree: 2, blob: 3, tag: 4, 'by offset': 6, 'by name': 7 } as const;

export interface Entry {
  /** A number: a type that is no type. */
  type: keyof typeof TYPES | number;
  /** Before it is deflated. */
  bytes: Uint8Array;
  /** The inflated size that the header says; absent: the true one. */
  size?: number | bigint;
  /** Instead of what `bytes` deflates to. */
  deflated?: Uint8Array;
  /** Of the base of a delta: how many entries back, or (as text) any distance in bytes; or its name. */
  base?: number | string;
}

export interface PackOptions {
  /** Instead of how many there are. */
  count?: number;
  version?: number;
  trailer?: Uint8Array;
}

export function packOf(entries: readonly Entry[], options: PackOptions = {}): Buffer {
  const head = Buffer.from('PACK\0\0\0\0\0\0\0\0');
  head.writeUInt32BE(options.version ?? 2, 4);
  head.writeUInt32BE(options.count ?? entries.length, 8);
  const pieces: Buffer[] = [head];
  const offsets: number[] = [];
  let at = head.length;
  for (const { type, bytes, size = bytes.length, deflated, base } of entries) {
    offsets.push(at);
    const number = typeof type === 'number' ? type : TYPES[type];
    const piece = Buffer.concat([
      sizeHeader(number, BigInt(size)),
      baseOf(type, base, at, offsets),
      deflated ?? deflateSync(bytes),
    ]);
    pieces.push(piece);
    at += piece.length;
  }
  const body = Buffer.concat(pieces);
  return Buffer.concat([body, options.trailer ?? createHash('sha1').update(body).digest()]);
}

function baseOf(type: Entry['type'], base: Entry['base'], at: number, offsets: readonly number[]): Buffer {
  if (type === 'by name') return Buffer.from(String(base), 'hex');
  if (type !== 'by offset') return Buffer.alloc(0);
  const distance = typeof base === 'string' ? Number(base) : at - (offsets[offsets.length - 1 - Number(base)] ?? at);
  return distanceBytes(distance);
}

/** Four bits of the size beside the type, then seven a byte. */
function sizeHeader(type: number, size: bigint): Buffer {
  const bytes = [(type << 4) | Number(size & 15n)];
  for (let rest = size >> 4n; rest > 0n; rest >>= 7n) {
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) | 0x80;
    bytes.push(Number(rest & 127n));
  }
  return Buffer.from(bytes);
}

/** "offset encoding" of gitformat-pack(5): each further byte adds one to what comes before it. */
function distanceBytes(distance: number): Buffer {
  const bytes = [distance % 128];
  for (let rest = Math.floor(distance / 128); rest > 0; rest = Math.floor(rest / 128)) {
    rest -= 1;
    bytes.unshift((rest % 128) | 0x80);
  }
  return Buffer.from(bytes);
}

/** Little-endian, seven bits a byte. */
function varint(value: number): Buffer {
  const bytes = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) | 0x80;
    bytes.push(rest % 128);
  }
  return Buffer.from(bytes);
}

export type Instruction = { copy: number; length: number } | { insert: string } | { raw: number[] };

export function deltaOf(base: number, result: number, instructions: readonly Instruction[]): Buffer {
  const parts = instructions.map((instruction) => {
    if ('raw' in instruction) return Buffer.from(instruction.raw);
    if ('insert' in instruction) return Buffer.from([instruction.insert.length, ...Buffer.from(instruction.insert)]);
    const part = Buffer.alloc(8);
    part[0] = 0xff;
    part.writeUInt32LE(instruction.copy, 1);
    part.writeUIntLE(instruction.length, 5, 3);
    return part;
  });
  return Buffer.concat([varint(base), varint(result), ...parts]);
}

/** So many zeros, deflated: about a thousandth of them. */
export function zeros(mebibytes: number): Buffer {
  return deflateSync(Buffer.alloc(mebibytes << 20), { level: 1 });
}

/** Everything of a repository, each object whole. */
export async function objectsOf(tree: WorkTree): Promise<Entry[]> {
  const listed = await tree.batch();
  const entries: Entry[] = [];
  for (let at = 0; at < listed.length; ) {
    const end = listed.indexOf(0x0a, at);
    const [, type, size] = listed.toString('latin1', at, end).split(' ');
    entries.push({ type: type as 'commit', bytes: listed.subarray(end + 1, end + 1 + Number(size)) });
    at = end + 2 + Number(size);
  }
  return entries;
}

/** An upload-pack's answer with another pack in the place of its own; what precedes that stays. */
export function withPack(answer: Buffer, pack: Uint8Array): Buffer {
  const at = answer.indexOf('PACK');
  if (at < 0) return answer;
  return Buffer.concat([answer.subarray(0, at - 5), ...sideBand(1, pack), Buffer.from('0000')]);
}

/** gitprotocol-pack(5), "Packfile Data": each packet says on which band it is. */
export function sideBand(band: 1 | 2 | 3, bytes: Uint8Array): Buffer[] {
  const packets: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 65_515) {
    packets.push(packet(Buffer.concat([Buffer.from([band]), bytes.subarray(at, at + 65_515)])));
  }
  return packets;
}

/** gitprotocol-common(5), "pkt-line". */
export function packet(content: Uint8Array | string): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes]);
}
