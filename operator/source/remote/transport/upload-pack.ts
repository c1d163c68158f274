import { createHash } from 'node:crypto';
import { Bug } from '../../../../core/errors.ts';
import { readAnswer } from './answer.ts';
import { type GitHttp, gather, once, respond } from './isomorphic-http.ts';
import { FLUSH, PacketFault, PacketReader, packet } from './pkt-line.ts';

/** What isomorphic-git calls what it fetches: never a name that a server chose. */
export const WANTED_REF = 'refs/heads/wanted';
/** Those of the server's capabilities that isomorphic-git may use; it knows of others, such as symbolic refs, which are not needed. */
const CAPABILITIES = ['multi_ack_detailed', 'no-done', 'side-band-64k', 'ofs-delta', 'shallow'];
const THIN_PACK = 'thin-pack';
/** A pack's header is checked by whoever takes it; this is the whole answer, which the pack's own limit is below. */
const ANSWER_LIMIT = 4 * 1024 * 1024 * 1024;

export interface Fetching {
  /** Object id that is asked for: a commit or an annotated tag. */
  wanted: string;
  /** Of the server. */
  capabilities: readonly string[];
  ask(request: Uint8Array): Promise<AsyncIterable<Uint8Array>>;
  takePack(pack: AsyncIterable<Uint8Array>): Promise<unknown>;
}

/**
 * The HTTP client that isomorphic-git gets for one fetch, whatever carries it. isomorphic-git speaks the protocol (what is
 * wanted, what is there, which commits are shallow); the pack goes past it to where it is checked, since isomorphic-git would
 * hold it in memory several times over and inflate what is in it without a limit. It gets a pack without objects instead,
 * which it leaves alone. Of the refs it sees the one that is fetched.
 */
export function fetchingHttp(fetching: Fetching): GitHttp {
  return {
    request: async ({ url, method = 'GET', body }) => {
      const answer = method === 'GET' ? advertise(fetching) : await exchange(fetching, await gather(body ?? []));
      return respond(url, method, 'git-upload-pack', once(answer));
    },
  };
}

function advertise({ wanted, capabilities }: Fetching): Buffer {
  const known = CAPABILITIES.filter((capability) => capabilities.includes(capability));
  return Buffer.concat([
    packet('# service=git-upload-pack\n'),
    FLUSH,
    // It looks for this one as well, whatever is fetched.
    packet(`${wanted} HEAD\0${known.join(' ')}\n`),
    packet(`${wanted} ${WANTED_REF}\n`),
    FLUSH,
  ]);
}

async function exchange(fetching: Fetching, request: Buffer): Promise<Buffer> {
  const isThin = fetching.capabilities.includes(THIN_PACK);
  const stream = await fetching.ask(isThin ? askingForThinPack(request) : request);
  const reader = new PacketReader(stream, ANSWER_LIMIT);
  try {
    const { lines, pack } = await readAnswer(reader);
    // A history that the server cuts off unasked could not be judged.
    if (!isDeepening(request) && lines.some(isAboutShallow))
      throw new PacketFault('a cut history, which nobody asked for');
    await fetching.takePack(pack);
    return Buffer.concat([...lines.map((line) => (line === 'flush' ? FLUSH : packet(line))), EMPTY_PACK, FLUSH]);
  } finally {
    await reader.close();
  }
}

function isDeepening(request: Buffer): boolean {
  return request.includes('deepen ');
}

function isAboutShallow(line: string): boolean {
  return line.startsWith('shallow ') || line.startsWith('unshallow ');
}

/**
 * isomorphic-git never asks for deltas against what is there already, because it does not write their bases into the pack;
 * without them one changed file in a folder of 10,000 brings the folder's whole tree again.
 */
function askingForThinPack(request: Buffer): Buffer {
  const length = Number.parseInt(request.toString('latin1', 0, 4), 16);
  const want = request.toString('latin1', 4, length);
  if (!want.startsWith('want ') || !want.endsWith('\n')) throw new Bug('a request that does not begin with a want');
  return Buffer.concat([packet(`${want.slice(0, -1)} ${THIN_PACK}\n`), request.subarray(length)]);
}

const EMPTY_PACK = emptyPack();

function emptyPack(): Buffer {
  const header = Buffer.from('PACK\0\0\0\u0002\0\0\0\0', 'latin1');
  const hash = createHash('sha1').update(header).digest();
  return packet(Buffer.concat([Buffer.of(1), header, hash]));
}
