import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gather } from './isomorphic-http.ts';
import { FLUSH, PacketFault, packet } from './pkt-line.ts';
import { type Fetching, fetchingHttp } from './upload-pack.ts';

const OID = 'a'.repeat(40);
const WANT = packet(`want ${OID} ofs-delta\n`);
const PACK = Buffer.concat([packet('\u0001PACK'), FLUSH]);

/** One request, and what came of it. */
async function post(request: Uint8Array[], answer: Uint8Array, capabilities: string[] = []) {
  const seen = { asked: '', pack: '' };
  const fetching: Fetching = {
    wanted: OID,
    capabilities,
    ask: async (body) => {
      seen.asked = String(body);
      return ReadableStream.from([answer]) as AsyncIterable<Uint8Array>;
    },
    takePack: async (pack) => {
      seen.pack = String(await gather(pack));
    },
  };
  const response = await fetchingHttp(fetching).request({ url: 'x', method: 'POST', body: request });
  return { ...seen, told: String(await gather(response.body)) };
}

test('a history that is cut off unasked is refused before its pack is taken', async () => {
  const cut = Buffer.concat([packet(`shallow ${OID}\n`), FLUSH, packet('NAK\n'), PACK]);
  await assert.rejects(post([WANT, FLUSH, packet('done\n')], cut), PacketFault);
  const deepening = [WANT, packet('deepen 1\n'), FLUSH, packet('done\n')];
  assert.equal((await post(deepening, cut)).pack, 'PACK');
});

test('the pack goes to its intake, and isomorphic-git is told of the rest', async () => {
  const { pack, told } = await post([WANT, FLUSH], Buffer.concat([packet('NAK\n'), PACK]));
  assert.equal(pack, 'PACK');
  assert.ok(told.startsWith('0008NAK\n') && !told.includes('PACK0000'));
});

test('deltas against what is there are asked for where the server knows them', async () => {
  const answer = Buffer.concat([packet('NAK\n'), PACK]);
  assert.match((await post([WANT, FLUSH], answer, ['thin-pack'])).asked, /^0046want a{40} ofs-delta thin-pack\n0000$/);
  assert.match((await post([WANT, FLUSH], answer)).asked, /^....want a{40} ofs-delta\n0000$/);
});
