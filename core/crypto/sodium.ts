import { Bug } from '../errors.ts';
import type { Libsodium } from './libsodium.ts';

/**
 * The one instance of libsodium and the memory that it works in.
 *
 * What enters WebAssembly memory stays there until something overwrites it: `_free` does not, and libsodium's own
 * functions leave shared secrets and the ends of plaintexts on their stack. So everything goes in through `inSodium`,
 * which zeroes its regions and the whole stack afterwards; core/crypto/sodium.test.ts scans all of the memory for what
 * should be gone. Not reached: registers, and what the operating system swaps out.
 */

/**
 * Where the linker put the stack of libsodium 0.8.4 (this package pins that version): it grows down from just below the
 * heap. At rest nothing in it is alive. The module exports no stack pointer, so the place is checked by the address
 * that the first allocation gets.
 */
const STACK = { bottom: 41_616, top: 107_152, firstAllocation: 107_160 } as const;

let instance: Libsodium | undefined;
let loading: Promise<void> | undefined;

/** Loads libsodium, once. Must have resolved before anything in core/format or core/keys seals, opens or hashes. */
export function sodiumReady(): Promise<void> {
  loading ??= load();
  return loading;
}

async function load(): Promise<void> {
  const { default: wrappers } = await import('libsodium-wrappers');
  await wrappers.ready;
  const loaded = underneath(wrappers);
  const first = loaded._malloc(16);
  if (first !== STACK.firstAllocation) throw new Bug('libsodium lays out its memory in a way that is not known here');
  loaded._free(first);
  instance = loaded;
}

function underneath(wrappers: object): Libsodium {
  if ('libsodium' in wrappers) return wrappers.libsodium as Libsodium;
  throw new Bug('libsodium-wrappers no longer shows the module underneath');
}

export function sodium(): Libsodium {
  if (instance === undefined) throw new Bug('sodiumReady() has not been awaited');
  return instance;
}

/** Regions of WebAssembly memory that are zeroed when the work that asked for them is done. */
export class SodiumMemory {
  readonly #sodium: Libsodium;
  readonly #regions: { address: number; length: number }[] = [];

  constructor(module: Libsodium) {
    this.#sodium = module;
  }

  /** A new region, zeroed. */
  room(length: number): number {
    const address = this.#sodium._malloc(Math.max(length, 1));
    if (address === 0) throw new Bug('libsodium has no memory left');
    this.#regions.push({ address, length });
    this.#sodium.HEAPU8.fill(0, address, address + length);
    return address;
  }

  /** A new region that holds a copy of `bytes`. */
  put(bytes: Uint8Array): number {
    const address = this.room(bytes.length);
    this.#sodium.HEAPU8.set(bytes, address);
    return address;
  }

  /** What a region holds. The view is good until the next `room` or `put`. */
  view(address: number, length: number): Uint8Array {
    return this.#sodium.HEAPU8.subarray(address, address + length);
  }

  /** A copy, outside; from memory that no other Buffer shares. */
  take(address: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    bytes.set(this.view(address, length));
    return bytes;
  }

  wipe(): void {
    const heap = this.#sodium.HEAPU8;
    for (const { address, length } of this.#regions) {
      heap.fill(0, address, address + length);
      this.#sodium._free(address);
    }
    heap.fill(0, STACK.bottom, STACK.top);
  }
}

/** Runs `work`, which is synchronous, with memory that is wiped however it ends. */
export function inSodium<Result>(work: (sodium: Libsodium, memory: SodiumMemory) => Result): Result {
  const module = sodium();
  const memory = new SodiumMemory(module);
  try {
    return work(module, memory);
  } finally {
    memory.wipe();
  }
}
