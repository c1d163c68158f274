import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CofferError } from '../../../../core/errors.ts';
import fc from '../../../../test/support/properties.ts';
import { ADVERTISEMENT_LIMIT, Declined, readAdvertisement } from './advertisement.ts';
import { readAnswer } from './answer.ts';
import { FLUSH, PacketFault, PacketReader, packet, TooLong } from './pkt-line.ts';

const LIMIT = 1 << 20;
const OID = 'a'.repeat(40);

async function* inPieces(bytes: Uint8Array, lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const length of lengths) {
    yield bytes.subarray(at, at + length);
    at += length;
  }
  yield bytes.subarray(at);
}

function reader(bytes: Uint8Array, lengths: readonly number[] = [], limit = LIMIT): PacketReader {
  return new PacketReader(inPieces(bytes, lengths), limit);
}

const any = () => true;
const none = () => false;
const lengths = fc.array(fc.nat(50), { maxLength: 30 });
const line = (text: string) => packet(`${text}\n`);
const advertisement = (...lines: string[]) => Buffer.concat([...lines.map(line), FLUSH]);

describe('packets', () => {
  test('are the same however a connection cuts them', async () => {
    const contents = fc.array(fc.option(fc.uint8Array({ maxLength: 200 }), { nil: 'flush' as const }));
    await fc.assert(
      fc.asyncProperty(contents, lengths, async (packets, cuts) => {
        const bytes = Buffer.concat(packets.map((content) => (content === 'flush' ? FLUSH : packet(content))));
        const packetReader = reader(bytes, cuts);
        for (const content of packets) {
          const found = await packetReader.next();
          assert.deepEqual(found, content === 'flush' ? 'flush' : Buffer.from(content));
        }
        assert.equal(await packetReader.next(), undefined);
      }),
    );
  });

  test('that are none are refused before anything is kept for them', async () => {
    for (const bytes of ['0001', '0003', 'fff1', '-004', '+0a4', '0x10', 'zzzz', ' 004']) {
      await assert.rejects(reader(Buffer.from(bytes)).next(), PacketFault, bytes);
    }
    await assert.rejects(reader(Buffer.from('0008ab')).next(), { isCut: true });
    await assert.rejects(reader(Buffer.alloc(LIMIT + 1, '0')).next(), TooLong);
  });
});

describe('a list of refs', () => {
  test('gives the one ref that was asked for, with what a tag names in the end', async () => {
    const bytes = advertisement(
      `${OID} HEAD\0side-band-64k symref=HEAD:refs/heads/main`,
      `${OID} refs/heads/__proto__`,
      `${'b'.repeat(40)} refs/tags/v1`,
      `${'c'.repeat(40)} refs/tags/v1^{}`,
      `${'d'.repeat(40)} refs/tags/v2`,
      `${'e'.repeat(40)} refs/tags/v2^{}`,
      `shallow ${OID}`,
    );
    for (const prefix of [Buffer.alloc(0), line('version 1'), Buffer.concat([line('# service=x'), FLUSH])]) {
      const bytesOfAll = Buffer.concat([prefix, bytes]);
      const branch = await readAdvertisement(reader(bytesOfAll), (ref) => ref === 'refs/heads/__proto__');
      assert.deepEqual(branch.chosen, { ref: 'refs/heads/__proto__', oid: OID });
      const tag = await readAdvertisement(reader(bytesOfAll), (ref, than = '') => ref > than);
      assert.deepEqual(tag, {
        chosen: { ref: 'refs/tags/v2', oid: 'd'.repeat(40), peeled: 'e'.repeat(40) },
        count: 6,
        capabilities: ['side-band-64k', 'symref=HEAD:refs/heads/main'],
      });
      assert.equal((await readAdvertisement(reader(bytesOfAll), none)).chosen, undefined);
    }
  });

  const REFUSED: Record<string, { bytes: Buffer; expected: object }> = {
    'ends before its flush': { bytes: advertisement(`${OID} HEAD\0x`).subarray(0, -4), expected: { isCut: true } },
    'is cut within a packet': { bytes: advertisement(`${OID} HEAD\0x`).subarray(0, -9), expected: { isCut: true } },
    'names no object': { bytes: advertisement('master\0x'), expected: PacketFault },
    'names an object in capitals': { bytes: advertisement(`${'A'.repeat(40)} HEAD\0x`), expected: PacketFault },
    'is of SHA-256': {
      bytes: advertisement(`${'a'.repeat(64)} HEAD\0x`),
      expected: { code: 'GIT_FORMAT_UNSUPPORTED' },
    },
    'says it is of SHA-256': {
      bytes: advertisement(`${'0'.repeat(40)} capabilities^{}\0object-format=sha256`),
      expected: { code: 'GIT_FORMAT_UNSUPPORTED' },
    },
    'is a refusal': { bytes: line('ERR access denied'), expected: Declined },
  };
  for (const [what, { bytes, expected }] of Object.entries(REFUSED)) {
    test(`that ${what} is refused`, async () => {
      await assert.rejects(readAdvertisement(reader(bytes), any), expected as Error);
    });
  }

  test('of a repository without commits is empty, and not one that is cut off', async () => {
    const empty = advertisement(`${'0'.repeat(40)} capabilities^{}\0side-band-64k`);
    assert.equal((await readAdvertisement(reader(empty), any)).count, 0);
    assert.equal((await readAdvertisement(reader(FLUSH), any)).count, 0);
  });

  test('of more than a million refs is refused', async () => {
    const count = 1_000_000;
    const row = packet(`${OID} refs/heads/x`);
    const rows = Buffer.concat(Array(count).fill(row));
    const bytes = Buffer.concat([packet(`${OID} HEAD\0x`), rows, FLUSH]);
    await assert.rejects(
      readAdvertisement(new PacketReader(inPieces(bytes, []), ADVERTISEMENT_LIMIT), () => false),
      TooLong,
    );
  });
});

const PACKET_OF_PACK = packet('\u0001PACK');

describe('an answer', () => {
  const band = (number: number, text: string) => packet(Buffer.concat([Buffer.of(number), Buffer.from(text)]));

  test('is its lines, and the pack without messages and what keeps the connection alive', async () => {
    const bytes = Buffer.concat([
      ...[line(`shallow ${OID}`), FLUSH, line('NAK'), band(2, 'Counting'), band(1, 'PACK'), packet(''), band(1, '…')],
      ...[band(2, 'Done'), FLUSH],
    ]);
    await fc.assert(
      fc.asyncProperty(lengths, async (cuts) => {
        const { lines, pack } = await readAnswer(reader(bytes, cuts));
        assert.deepEqual(lines, [`shallow ${OID}\n`, 'flush', 'NAK\n']);
        const parts = await Array.fromAsync(pack);
        assert.equal(String(Buffer.concat(parts)), 'PACK…');
      }),
    );
  });

  test('that holds another line than those of the protocol is refused, so that nothing long is kept', async () => {
    const sent = ['ACK', `ACK ${OID} maybe\n`, `shallow ${OID}${'a'.repeat(20)}\n`, 'A'.repeat(60_000), '', ' NAK\n'];
    for (const text of sent) {
      await assert.rejects(readAnswer(reader(Buffer.concat([packet(text), PACKET_OF_PACK]))), PacketFault, text);
    }
    const endless = packet(`ACK ${OID} common\n`);
    await assert.rejects(readAnswer(reader(Buffer.concat(Array(100_001).fill(endless)), [], 1 << 24)), PacketFault);
  });

  const CUT: Record<string, Buffer> = {
    'before the pack': Buffer.concat([line('NAK')]),
    'within the pack': Buffer.concat([line('NAK'), band(1, 'PACK')]),
  };
  for (const [where, bytes] of Object.entries(CUT)) {
    test(`that ends ${where} is one that is cut`, async () => {
      await assert.rejects(
        async () => {
          for await (const _ of (await readAnswer(reader(bytes))).pack);
        },
        { isCut: true },
      );
    });
  }

  test('may be a refusal at any place', async () => {
    for (const bytes of [
      line('ERR upload-pack: not our ref'),
      Buffer.concat([line('NAK'), band(3, 'out of memory')]),
    ]) {
      await assert.rejects(async () => {
        for await (const _ of (await readAnswer(reader(bytes))).pack);
      }, Declined);
    }
  });
});

test('whatever a server sends is read or refused, and never waited for', async () => {
  const tokens = [FLUSH, '0001', '0004', 'fff0', line('NAK'), line('ERR x'), packet('\u0001PACK'), `${OID} HEAD\0 `];
  const stream = fc
    .array(fc.oneof(fc.constantFrom(...tokens.map((token) => Buffer.from(token))), fc.uint8Array({ maxLength: 80 })))
    .map((parts) => Buffer.concat(parts));
  const isExpected = (error: unknown): boolean =>
    [PacketFault, TooLong, Declined, CofferError].some((kind) => error instanceof kind);
  const drain = async (bytes: Buffer, cuts: number[]): Promise<void> => {
    for await (const _ of (await readAnswer(reader(bytes, cuts))).pack);
  };
  await fc.assert(
    fc.asyncProperty(stream, lengths, async (bytes, cuts) => {
      for (const work of [readAdvertisement(reader(bytes, cuts), any), drain(bytes, cuts)]) {
        await work.catch((error: unknown) => assert.ok(isExpected(error), String(error)));
      }
    }),
    { numRuns: 2000 },
  );
});
