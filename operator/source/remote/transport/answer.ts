import { assertNotDeclined, Declined } from './advertisement.ts';
import { PacketFault, type PacketReader } from './pkt-line.ts';

/** Bands of gitprotocol-capabilities, "side-band-64k". */
const PACK_BAND = 1;
const PROGRESS_BAND = 2;
const ERROR_BAND = 3;
/** gitprotocol-pack, "Packfile Negotiation": about commits that are shallow, or that both sides have. */
const LINE = /^(?:NAK|ACK [0-9a-f]{40}(?: continue| common| ready)?|(?:un)?shallow [0-9a-f]{40})\n?$/;
const LONGEST_LINE = 64;
/** One for each commit that was named, and few are. */
const MOST_LINES = 100_000;

/** The answer to a fetch (gitprotocol-pack, "Packfile Data"): some lines, then the pack in side bands. */
export interface Answer {
  /** Of that grammar, as they came; and the flushes between them. */
  lines: readonly string[];
  /** The pack's bytes. */
  pack: AsyncIterable<Uint8Array>;
}

/** Reads up to the first packet of the pack. Throws PacketFault, TooLong, Declined; so does `pack`. */
export async function readAnswer(reader: PacketReader): Promise<Answer> {
  const lines: string[] = [];
  for (;;) {
    const found = await reader.next();
    if (found === undefined) throw new PacketFault('the answer ends before the pack', true);
    if (found !== 'flush' && isBand(found)) return { lines, pack: packBytes(reader, found) };
    lines.push(found === 'flush' ? found : lineOf(found));
    if (lines.length > MOST_LINES) throw new PacketFault('an answer without a pack');
  }
}

function lineOf(found: Buffer): string {
  assertNotDeclined(found);
  const line = found.length > LONGEST_LINE ? '' : found.toString('latin1');
  if (!LINE.test(line)) throw new PacketFault('a line that is none of an answer');
  return line;
}

/** Lines are text: none begins with such a byte. */
function isBand(packet: Buffer): boolean {
  const band = packet[0];
  return band === PACK_BAND || band === PROGRESS_BAND || band === ERROR_BAND;
}

async function* packBytes(reader: PacketReader, first: Buffer): AsyncGenerator<Uint8Array> {
  for (let found: Buffer | 'flush' | undefined = first; found !== 'flush'; found = await reader.next()) {
    if (found === undefined) throw new PacketFault('the pack has no end', true);
    const band = found[0];
    if (band === PACK_BAND) yield found.subarray(1);
    else if (band === ERROR_BAND) throw new Declined(found.toString('utf8', 1));
    // An empty packet keeps the connection alive.
    else if (band !== PROGRESS_BAND && found.length > 0) throw new PacketFault('a packet outside of the side bands');
  }
}
