/** SHA-1 (FIPS 180-4, section 6.1) in steps that can be entered and left: what node:crypto has gives the digest alone. */

export const BLOCK = 64;
export const STEPS = 80;

/** The five words a to e. */
export type State = Int32Array;

export const INITIAL: Readonly<State> = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0);

/** A message of these parts, padded to whole blocks (section 5.1.1). */
export function padded(...parts: readonly Uint8Array[]): DataView {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const message = new Uint8Array(Math.ceil((length + 9) / BLOCK) * BLOCK);
  let at = 0;
  for (const part of parts) {
    message.set(part, at);
    at += part.length;
  }
  message[length] = 0x80;
  const view = new DataView(message.buffer);
  view.setBigUint64(message.length - 8, BigInt(length) * 8n);
  return view;
}

/** The 80 words that the block at `at` is expanded to. */
export function expandBlock(message: DataView, at: number, words: Int32Array): void {
  for (let i = 0; i < 16; i++) words[i] = message.getInt32(at + 4 * i);
  for (let i = 16; i < STEPS; i++) {
    const x = (words[i - 3] ?? 0) ^ (words[i - 8] ?? 0) ^ (words[i - 14] ?? 0) ^ (words[i - 16] ?? 0);
    words[i] = (x << 1) | (x >>> 31);
  }
}

/** Does the steps `from` (included) to `to` (not included). One loop for each function: to choose at each step costs half as much again. */
export function stepForward(state: State, words: Int32Array, from: number, to: number): void {
  let a = state[0] ?? 0;
  let b = state[1] ?? 0;
  let c = state[2] ?? 0;
  let d = state[3] ?? 0;
  let e = state[4] ?? 0;
  let i = from;
  for (const end = Math.min(to, 20); i < end; i++) {
    const next = (((a << 5) | (a >>> 27)) + (d ^ (b & (c ^ d))) + 0x5a827999 + e + (words[i] ?? 0)) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  for (const end = Math.min(to, 40); i < end; i++) {
    const next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + 0x6ed9eba1 + e + (words[i] ?? 0)) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  for (const end = Math.min(to, 60); i < end; i++) {
    const next = (((a << 5) | (a >>> 27)) + ((b & c) | (d & (b | c))) + 0x8f1bbcdc + e + (words[i] ?? 0)) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  for (const end = Math.min(to, 80); i < end; i++) {
    const next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + 0xca62c1d6 + e + (words[i] ?? 0)) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  state[0] = a;
  state[1] = b;
  state[2] = c;
  state[3] = d;
  state[4] = e;
}

/** Takes the steps before `from` back. */
export function stepBack(state: State, words: Int32Array, from: number): void {
  let [a = 0, b = 0, c = 0, d = 0, e = 0] = state;
  for (let i = from - 1; i >= 0; i--) {
    const after = a;
    a = b;
    b = (c << 2) | (c >>> 30);
    c = d;
    d = e;
    e = (after - ((a << 5) | (a >>> 27)) - mixed(i, b, c, d) - (words[i] ?? 0)) | 0;
  }
  state.set([a, b, c, d, e]);
}

/** What comes out of a block is the sum of the state that it began with and the one after its last step. */
export function add(into: State, other: Readonly<State>): void {
  for (let i = 0; i < 5; i++) into[i] = (into[i] ?? 0) + (other[i] ?? 0);
}

function mixed(i: number, b: number, c: number, d: number): number {
  if (i < 20) return (d ^ (b & (c ^ d))) + 0x5a827999;
  if (i < 40) return (b ^ c ^ d) + 0x6ed9eba1;
  if (i < 60) return ((b & c) | (d & (b | c))) + 0x8f1bbcdc;
  return (b ^ c ^ d) + 0xca62c1d6;
}
