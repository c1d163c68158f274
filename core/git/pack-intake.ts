import { Bug } from '../errors.ts';
import type { ObjectStore } from './object-store.ts';

/** What a pack may hold, all of it counted before it is allocated. */
export interface PackLimits {
  /** Of the pack as it is sent. */
  bytes: number;
  objects: number;
  /** One object, inflated. */
  objectBytes: number;
  /** All objects together, inflated. */
  inflatedBytes: number;
  /** Of a chain of deltas. */
  depth: number;
}

export interface TakenPack {
  objects: number;
  /** Of the file. */
  bytes: number;
  /** `pack-HASH`, without the folder. */
  name: string;
}

/**
 * Takes a pack from a stream into `folder` (`objects/pack`), checks every object, and writes its index. `undefined`: the pack
 * is empty and nothing was written. Throws CofferError `PACK_…`.
 */
export async function takePack(
  _stream: AsyncIterable<Uint8Array>,
  _folder: string,
  _options: { limits: PackLimits; bases: ObjectStore },
): Promise<TakenPack | undefined> {
  throw new Bug('not written yet');
}
