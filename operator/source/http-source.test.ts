import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { LARGEST_OBJECT } from '../../core/git/objects/object-store.ts';
import { code, commitOf, never, Watching } from '../../test/operator/watching.ts';
import { inTurn } from './clone/one-intake.ts';
import { SourceFault } from './remote/faults.ts';
import { TimeLimit } from './time-limit.ts';

type Intercept = (request: IncomingMessage, response: ServerResponse) => boolean;

const isPack = ({ method }: IncomingMessage): boolean => method === 'POST';

/** Sends the first bytes of the real answer to a POST, then does `end`. */
function cutPack(bytes: number, end: (response: ServerResponse, finish: () => void) => void): Intercept {
  return (request, response) => {
    if (!isPack(request)) return false;
    const write = response.write.bind(response);
    const finish = response.end.bind(response);
    response.end = () => response;
    let sent = 0;
    response.write = ((chunk: Buffer) => {
      const part = chunk.subarray(0, Math.max(0, bytes - sent));
      sent += chunk.length;
      write(part, () => sent >= bytes && end(response, finish));
      return true;
    }) as ServerResponse['write'];
    return false;
  };
}

/** Changes one byte of the pack on its way: so many before its end, the last 20 of which are its hash. */
function flipInPack(fromEnd: number): Intercept {
  return (request, response) => {
    if (!isPack(request)) return false;
    const chunks: Buffer[] = [];
    const end = response.end.bind(response);
    response.write = ((chunk: Buffer) => chunks.push(Buffer.from(chunk)) > 0) as ServerResponse['write'];
    response.end = (() => {
      const body = Buffer.concat(chunks);
      const at = packBytes(body).at(-fromEnd) ?? 0;
      body.writeUInt8(body.readUInt8(at) ^ 0x01, at);
      return end(body);
    }) as ServerResponse['end'];
    return false;
  };
}

/** Where the bytes of the pack stand in an answer: in packets (length in hex, 4 digits) of side band 1. */
function packBytes(body: Buffer): number[] {
  const places: number[] = [];
  for (let at = 0; at < body.length; ) {
    const length = Math.max(4, Number.parseInt(body.toString('latin1', at, at + 4), 16));
    if (length > 5 && body[at + 4] === 1) for (let place = at + 5; place < at + length; place++) places.push(place);
    at += length;
  }
  return places;
}

async function listen(t: TestContext, server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('credentials', () => {
  test('basic ones are read again at every fetch, and wrong ones are told from a broken server', async (t) => {
    const bench = await Watching.open(t);
    const commit = await bench.tree.commit({ a: '1' });
    const { url } = await bench.serve({ auth: { username: 'ada', password: 'päss' } });
    const usernameFile = await bench.file('username', 'ada\n');
    const passwordFile = await bench.file('password', 'old\n');
    const source = await bench.source({ url, allowHttp: true, usernameFile, passwordFile });
    await assert.rejects(source.poll(never), code('SOURCE_UNAUTHORIZED'));
    await bench.file('password', 'päss\n');
    assert.equal(await commitOf(source), commit);
  });

  test('a bearer token; a file that is not there or holds two lines is named', async (t) => {
    const bench = await Watching.open(t);
    const commit = await bench.tree.commit({ a: '1' });
    const { url } = await bench.serve({ auth: { bearer: 'token' } });
    const bearerFile = join(bench.root, 'bearer');
    const source = await bench.source({ url, allowHttp: true, bearerFile });
    await assert.rejects(source.poll(never), code('SOURCE_CREDENTIALS_UNREADABLE'));
    await bench.file('bearer', 'token\nX-Other: 1\n');
    await assert.rejects(source.poll(never), code('SOURCE_CREDENTIALS_UNREADABLE'));
    await bench.file('bearer', 'token');
    assert.equal(await commitOf(source), commit);
  });
});

describe('redirects', () => {
  test('are followed for the first request, and credentials stay with the configured host', async (t) => {
    const bench = await Watching.open(t);
    const commit = await bench.tree.commit({ a: '1' });
    const seen: (string | undefined)[] = [];
    const { url: target } = await bench.serve({
      intercept: (request) => {
        seen.push(request.headers.authorization);
        return false;
      },
    });
    const asked: (string | undefined)[] = [];
    const redirecting = createServer((request, response) => {
      asked.push(request.headers.authorization);
      response.writeHead(301, { location: `${target}${request.url?.replace('/moved.git', '')}` }).end();
    });
    const url = `${await listen(t, redirecting)}/moved.git`;
    const bearerFile = await bench.file('bearer', 'token');
    const source = await bench.source({ url, allowHttp: true, bearerFile });
    assert.equal(await commitOf(source), commit);
    assert.deepEqual(new Set(asked), new Set(['Bearer token']));
    assert.deepEqual(new Set(seen), new Set([undefined]));
  });

  const REFUSED: Record<string, (url: string) => string> = {
    'in a circle': (url) => url,
    'to something else': () => 'http://127.0.0.1:1/login',
    'to no URL': () => 'http://[',
  };
  for (const [what, location] of Object.entries(REFUSED)) {
    test(`${what} are refused`, async (t) => {
      const bench = await Watching.open(t);
      const server = createServer((request, response) =>
        response.writeHead(302, { location: location(request.url ?? '') }).end(),
      );
      const source = await bench.source({ url: `${await listen(t, server)}/x.git`, allowHttp: true });
      await assert.rejects(source.poll(never), code('SOURCE_REDIRECTED'));
    });
  }
});

describe('an answer that says no', () => {
  const answers = (): [status: number, headers: Record<string, string>, expected: string, retryAfter?: number][] => [
    [401, {}, 'SOURCE_UNAUTHORIZED'],
    [403, {}, 'SOURCE_UNAUTHORIZED'],
    [404, {}, 'SOURCE_MISSING'],
    [410, {}, 'SOURCE_MISSING'],
    [429, {}, 'SOURCE_BUSY'],
    [429, { 'retry-after': '120' }, 'SOURCE_BUSY', 120_000],
    [429, { 'retry-after': new Date(Date.now() + 300_000).toUTCString() }, 'SOURCE_BUSY', 300_000],
    [429, { 'retry-after': '999999999' }, 'SOURCE_BUSY', 3_600_000],
    [429, { 'retry-after': 'soon' }, 'SOURCE_BUSY'],
    [500, { 'retry-after': '120' }, 'SOURCE_UNAVAILABLE'],
    [502, {}, 'SOURCE_UNAVAILABLE'],
    [503, { 'retry-after': '7' }, 'SOURCE_UNAVAILABLE', 7000],
    [204, {}, 'SOURCE_UNAVAILABLE'],
  ];

  test('is told by its status, at a look and at a fetch (a token that expires in between), with when to come again', async (t) => {
    const bench = await Watching.open(t);
    const commit = await bench.tree.commit({ a: '1' });
    let answer: ((response: ServerResponse) => void) | undefined;
    let method = 'GET';
    const intercept: Intercept = (request, response) => {
      if (answer === undefined || request.method !== method) return false;
      answer(response);
      return true;
    };
    const { url } = await bench.serve({ intercept });
    const source = await bench.source({ url, allowHttp: true });
    for (method of ['GET', 'POST']) {
      for (const [status, headers, expected, retryAfter] of answers()) {
        answer = (response) => response.writeHead(status, headers).end('<p>\u001b[31mno');
        await assert.rejects(source.poll(never), (error) => {
          const about = `${method} ${status} ${JSON.stringify(headers)}`;
          assert.ok(error instanceof SourceFault && error.code === expected, `${about}: ${error}`);
          assert.ok(Math.abs((error.retryAfter ?? 0) - (retryAfter ?? 0)) < 60_000, `${about}: ${error.retryAfter}`);
          assert.doesNotMatch(error.message, /<p>/);
          return true;
        });
      }
    }
    answer = undefined;
    assert.equal(await commitOf(source), commit);
  });
});

describe('a fetch that fails half-way leaves the old state, and the next one succeeds', () => {
  const FAULTS: Record<string, { intercept: Intercept; expected: string }> = {
    'the connection is reset in the pack': {
      intercept: cutPack(2000, (response) => response.socket?.resetAndDestroy()),
      expected: 'SOURCE_UNREACHABLE',
    },
    'the answer ends early': { intercept: cutPack(2000, (_, finish) => finish()), expected: 'SOURCE_INCOMPLETE' },
    'the pack’s last hash is another': { intercept: flipInPack(20), expected: 'SOURCE_INCOMPLETE' },
    'a byte of the last object is another': { intercept: flipInPack(30), expected: 'SOURCE_INCOMPLETE' },
    'the pack never ends': { intercept: cutPack(2000, () => {}), expected: 'SOURCE_TIMEOUT' },
    'the server fails': {
      intercept: (request, response) => isPack(request) && response.writeHead(503).end() !== undefined,
      expected: 'SOURCE_UNAVAILABLE',
    },
    'it answers with a web page': {
      intercept: (request, response) =>
        !isPack(request) && response.writeHead(200, { 'content-type': 'text/html' }).end('<html>') !== undefined,
      expected: 'SOURCE_PROTOCOL',
    },
    'it hangs up at once': {
      intercept: (request) => {
        request.socket.destroy();
        return true;
      },
      expected: 'SOURCE_UNREACHABLE',
    },
  };
  for (const [what, { intercept, expected }] of Object.entries(FAULTS)) {
    for (const when of ['the first', 'a later'] as const) {
      test(`${what}, at ${when} fetch`, async (t) => {
        const bench = await Watching.open(t);
        let broken: Intercept | undefined;
        const { url } = await bench.serve({ intercept: (request, response) => broken?.(request, response) === true });
        const source = await bench.source({ url, allowHttp: true });
        // The one that is given up after a second is told apart: what is well may take longer than that.
        const hasty = await bench.source({ url, allowHttp: true, timeout: '1s' });
        const failing = expected === 'SOURCE_TIMEOUT' ? hasty : source;
        let before: string | undefined;
        const noise = Buffer.from(Array.from({ length: 9000 }, (_, i) => (i * i * 7 + (i >> 3)) & 0xff));
        if (when === 'a later') {
          before = await bench.tree.commit({ a: '1' });
          await source.poll(never);
        }
        const commit = await bench.tree.commit({ 'b.bin': noise, c: 'c' });
        broken = intercept;
        await assert.rejects(failing.poll(never), code(expected));
        assert.equal((await source.accepted())?.commit, before);
        broken = undefined;
        assert.equal(await commitOf(source), commit);
        await bench.gitInClone(source, 'fsck', '--strict', 'refs/coffer/accepted');
      });
    }
  }

  test('an object that is small in its pack and huge when inflated is refused before it is inflated', async (t) => {
    const bench = await Watching.open(t);
    const { url } = await bench.serve();
    await bench.tree.commit({ a: '1' });
    const source = await bench.source({ url, allowHttp: true });
    await source.poll(never);
    await bench.tree.commit({ zeros: Buffer.alloc(LARGEST_OBJECT + 1) });
    await assert.rejects(source.poll(never), code('SOURCE_TOO_LARGE'));
  });

  test('a fetch that waits until others have unpacked their packs does not lose its own time', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const waits = Promise.withResolvers<void>();
    const { standStill } = TimeLimit.prototype;
    t.mock.method(TimeLimit.prototype, 'standStill', function (this: TimeLimit, event: Promise<void>) {
      const standing = standStill.call(this, event);
      waits.resolve();
      return standing;
    });
    const bench = await Watching.open(t);
    const { url } = await bench.serve();
    const commit = await bench.tree.commit({ zeros: Buffer.alloc(8 * 2 ** 20) });
    const source = await bench.source({ url, allowHttp: true, timeout: '60s' });
    const other = Promise.withResolvers<void>();
    const unpacking = inTurn(() => other.promise);
    // By a timer that is not mocked: if it did not wait, nothing else would end it.
    const fetched = source.poll(AbortSignal.timeout(120_000));
    await Promise.race([waits.promise, fetched]);
    t.mock.timers.tick(3_600_000);
    other.resolve();
    await unpacking;
    const state = await fetched;
    assert.equal(state === 'unchanged' ? state : state.commit, commit);
  });

  test('a signal ends a fetch at once, and is no fault of the source', async (t) => {
    const bench = await Watching.open(t);
    await bench.tree.commit({ a: '1' });
    const ending = new AbortController();
    const { url } = await bench.serve({
      intercept: () => {
        ending.abort();
        return true;
      },
    });
    const source = await bench.source({ url, allowHttp: true });
    await assert.rejects(source.poll(ending.signal), { name: 'AbortError' });
  });
});
