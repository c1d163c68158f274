import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CofferError } from '../../core/errors.ts';
import fc from '../../test/support/properties.ts';
import { FLUSH, packet } from '../source/remote/transport/pkt-line.ts';
import type { Transport } from '../source/remote/transport/transport.ts';
import { NO_COMMIT, ReceivePack } from './receive-pack.ts';

const REF = 'refs/heads/main';
const COMMIT = 'a'.repeat(40);
const never = new AbortController().signal;
const CAPABILITIES = 'report-status side-band-64k ofs-delta';

/** A server that says what real ones do not. */
function server(said: Buffer, capabilities = CAPABILITIES): Transport & { asked: Buffer[] } {
  async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  const asked: Buffer[] = [];
  return {
    asked,
    open: async () => ({
      isStateless: false,
      advertisement: () => once(Buffer.concat([packet(`${COMMIT} ${REF}\0${capabilities}\n`), FLUSH])),
      ask: async (request) => {
        asked.push(Buffer.from(request));
        return once(said);
      },
      end: () => undefined,
    }),
    close: () => undefined,
  };
}

async function pushed(said: Buffer, capabilities?: string) {
  const receive = await ReceivePack.open(server(said, capabilities), REF, 'there', never);
  return receive.send({ from: COMMIT, to: 'b'.repeat(40), pack: Buffer.from('PACK') }, never);
}

const band = (number: number, content: string | Buffer) =>
  packet(Buffer.concat([Buffer.of(number), Buffer.from(content)]));
const lines = (...all: string[]) => Buffer.concat([...all.map((line) => packet(line)), FLUSH]);
const report = (...all: string[]) => Buffer.concat([band(1, lines(...all)), FLUSH]);

const WRONG: [what: string, said: Buffer, code: string][] = [
  ['says nothing', Buffer.alloc(0), 'SOURCE_INCOMPLETE'],
  ['ends its report early', Buffer.concat([band(1, packet('unpack ok\n')), FLUSH]), 'SOURCE_INCOMPLETE'],
  ['ends within a packet', report('unpack ok\n').subarray(0, 8), 'SOURCE_INCOMPLETE'],
  ['reports another branch', report('unpack ok\n', 'ok refs/heads/other\n'), 'SOURCE_PROTOCOL'],
  ['reports no branch', report('unpack ok\n'), 'SOURCE_PROTOCOL'],
  ['says something else', report('unpack ok\n', 'well done\n'), 'SOURCE_PROTOCOL'],
  ['uses another band', Buffer.concat([band(7, 'x'), FLUSH]), 'SOURCE_PROTOCOL'],
  ['fails', band(3, 'disk\u001b[2J full'), 'SOURCE_UNAVAILABLE'],
  ['talks without an end', Buffer.concat(Array(40).fill(band(2, 'x'.repeat(60_000)))), 'SOURCE_TOO_LARGE'],
  ['sends no packets', Buffer.from('<html>'), 'SOURCE_PROTOCOL'],
];

describe('a server that takes a push', () => {
  for (const [what, said, code] of WRONG) {
    test(`and ${what} is an error, and no success`, async () => {
      await assert.rejects(pushed(said), (error) => {
        assert.ok(error instanceof CofferError, String(error));
        assert.equal(error.code, code);
        assert.doesNotMatch(error.message, /\p{Cc}/u);
        return true;
      });
    });
  }

  test('is asked for one branch, if it is still what it was', async () => {
    const asking = server(report('unpack ok\n', `ok ${REF}\n`));
    const receive = await ReceivePack.open(asking, REF, 'there', never);
    assert.equal(receive.commit, COMMIT);
    assert.deepEqual(await receive.send({ from: COMMIT, to: NO_COMMIT, pack: Buffer.from('PACK') }, never), {
      isOk: true,
    });
    const command = `${COMMIT} ${NO_COMMIT} ${REF}\0 report-status side-band-64k agent=coffer`;
    assert.deepEqual(asking.asked, [Buffer.concat([packet(command), FLUSH, Buffer.from('PACK')])]);
  });

  test('may have no side bands; without a report nothing is pushed', async () => {
    assert.deepEqual(await pushed(lines('unpack ok\n', `ok ${REF}\n`), 'report-status'), { isOk: true });
    await assert.rejects(pushed(FLUSH, 'side-band-64k'), { code: 'SOURCE_PROTOCOL' });
  });

  test('has taken nothing that it did not unpack, nor what it took back', async () => {
    for (const all of [
      ['unpack index-pack abnormal exit\n', `ok ${REF}\n`],
      ['unpack ok\n', `ok ${REF}\n`, `ng ${REF} hook\n`],
    ]) {
      assert.equal((await pushed(report(...all))).isOk, false);
    }
  });

  test('is repeated in one short line that no terminal takes for more, whatever it says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 400 }), async (text) => {
        const said = Buffer.concat([band(2, text), band(1, lines('unpack ok\n', `ng ${REF} no\n`)), FLUSH]);
        const found = await pushed(said);
        assert.ok(!found.isOk && (found.reason ?? '').length < 250);
        assert.doesNotMatch(found.reason ?? '', /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      }),
    );
  });
});
