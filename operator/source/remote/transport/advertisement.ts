import { CofferError } from '../../../../core/errors.ts';
import { type Packet, PacketFault, type PacketReader, TooLong } from './pkt-line.ts';

export interface AdvertisedRef {
  /** Full name. */
  ref: string;
  oid: string;
  /** Where that is an annotated tag: what it names in the end. */
  peeled?: string;
}

/** What a server says first (gitprotocol-pack, "Reference Discovery"). */
export interface Advertisement {
  chosen?: AdvertisedRef;
  /** Of all refs. */
  count: number;
  capabilities: readonly string[];
}

export const ADVERTISEMENT_LIMIT = 64 * 1024 * 1024;
const MOST_REFS = 1_000_000;
const OID = /^[0-9a-f]{40}$/;
const SHA256_OID = /^[0-9a-f]{64} /;
const PEELED = '^{}';
/** Stands where a repository without refs has nothing to name. */
const NO_REF = 'capabilities^{}';

/** The server says in its own words that it will not (`ERR`, gitprotocol-common). */
export class Declined extends Error {}

/**
 * Reads to the flush, and keeps one ref: the last for which `isBetter` is true, which is given its full name and that of the
 * one before. However many a server names, no more is held. Throws PacketFault, TooLong, Declined, `GIT_FORMAT_UNSUPPORTED`.
 */
export async function readAdvertisement(
  reader: PacketReader,
  isBetter: (ref: string, than: string | undefined) => boolean,
): Promise<Advertisement> {
  let chosen: AdvertisedRef | undefined;
  let capabilities: readonly string[] | undefined;
  let count = 0;
  for (;;) {
    // Most packets are there already: no promise for each of a million.
    const found: Packet | undefined = reader.take() ?? (await reader.next());
    if (found === undefined) throw new PacketFault('the list of refs has no end', true);
    if (found === 'flush') break;
    const line = withoutLineEnd(found);
    if (capabilities === undefined) {
      if (isServiceLine(line) && (await reader.next()) === 'flush') continue;
      if (line.equals(VERSION_1)) continue;
      capabilities = capabilitiesOf(line);
    }
    if (isPrefixed(line, 'shallow ')) continue;
    const { oid, name } = refOf(line);
    if (name === NO_REF) continue;
    count++;
    if (count > MOST_REFS) throw new TooLong(`more than ${MOST_REFS} refs`);
    if (name.endsWith(PEELED)) {
      if (chosen?.ref === name.slice(0, -PEELED.length)) chosen.peeled = oid;
    } else if (isBetter(name, chosen?.ref)) chosen = { ref: name, oid };
  }
  return { ...(chosen === undefined ? {} : { chosen }), count, capabilities: capabilities ?? [] };
}

/** Smart HTTP says once more which service answers, and sends a flush behind it (gitprotocol-http). */
function isServiceLine(line: Buffer): boolean {
  return isPrefixed(line, '# service=');
}

const VERSION_1 = Buffer.from('version 1');

/** Throws Declined with the server's own words. */
export function assertNotDeclined(line: Buffer): void {
  if (isPrefixed(line, 'ERR ')) throw new Declined(line.toString('utf8', 4));
}

function capabilitiesOf(line: Buffer): readonly string[] {
  assertNotDeclined(line);
  const zero = line.indexOf(0);
  const words = zero < 0 ? [] : line.toString('utf8', zero + 1).split(' ');
  const capabilities = words.filter((word) => word !== '');
  if (SHA256_OID.test(line.toString('latin1', 0, 65)) || capabilities.includes('object-format=sha256')) {
    throw new CofferError('GIT_FORMAT_UNSUPPORTED', 'the repository names its objects by SHA-256, which is not read', {
      advice: 'Use a repository with SHA-1 names, which is what forges make.',
      loop: 'retry',
    });
  }
  return capabilities;
}

function refOf(line: Buffer): { oid: string; name: string } {
  const oid = line.toString('latin1', 0, 40);
  if (line[40] !== 0x20 || !OID.test(oid)) throw new PacketFault('a line that names no ref');
  const zero = line.indexOf(0);
  return { oid, name: line.toString('utf8', 41, zero < 0 ? line.length : zero) };
}

function isPrefixed(line: Buffer, prefix: string): boolean {
  return line.length >= prefix.length && line.toString('latin1', 0, prefix.length) === prefix;
}

function withoutLineEnd(line: Buffer): Buffer {
  return line.at(-1) === 0x0a ? line.subarray(0, -1) : line;
}
