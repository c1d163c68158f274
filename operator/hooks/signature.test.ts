import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { describe, test } from 'node:test';
import fc from '../../test/support/properties.ts';
import { type Forge, readClaim } from './signature.ts';

interface Vector {
  forge: Forge;
  secret: string;
  body: string;
  headers: IncomingHttpHeaders;
}

/** docs.github.com, "Validating webhook deliveries", "Testing the webhook payload validation". */
const GITHUB: Vector = {
  forge: 'github',
  secret: "It's a Secret to Everybody",
  body: 'Hello, World!',
  headers: { 'x-hub-signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17' },
};
/** The tests of the libraries of standardwebhooks.com, which GitLab's signing token follows. */
const GITLAB_SIGNED: Vector = {
  forge: 'gitlab',
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  body: '{"test": 2432232314}',
  headers: {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  },
};
const SIGNED_AT = 1_614_265_330_000;
const hex = (secret: string, body: string) => createHmac('sha256', secret).update(body).digest('hex');
const GITEA: Vector = {
  forge: 'gitea',
  secret: 's3cret',
  body: '{"ref":"refs/heads/main"}',
  headers: { 'x-gitea-signature': hex('s3cret', '{"ref":"refs/heads/main"}') },
};
const FORGEJO: Vector = { ...GITEA, headers: { 'x-forgejo-signature': hex(GITEA.secret, GITEA.body) } };
const GITLAB: Vector = { forge: 'gitlab', secret: 'tökén', body: '{}', headers: { 'x-gitlab-token': latin1('tökén') } };

/** UTF-8 on the wire as Node shows it in a header. */
function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}

function isProved({ forge, secret, body, headers }: Vector, now = SIGNED_AT): boolean {
  const claim = readClaim(forge, headers, secret, new Date(now));
  if (claim === undefined) return false;
  const bytes = Buffer.from(body);
  claim.add(bytes.subarray(0, 3));
  claim.add(bytes.subarray(3));
  return claim.isTrue();
}

const ALL = { GITHUB, GITLAB_SIGNED, GITEA, FORGEJO, GITLAB };

describe('what a forge signs', () => {
  for (const [name, vector] of Object.entries(ALL)) {
    test(`${name}: is proved by its own secret, whatever pieces the body comes in`, () => {
      assert.equal(isProved(vector), true);
    });

    test(`${name}: is not proved by another secret`, () => {
      const others = [`${vector.secret}x`, vector.secret.slice(0, -1), ' ', ...Object.values(ALL).map((o) => o.secret)];
      for (const secret of others.filter((other) => other !== vector.secret))
        assert.equal(isProved({ ...vector, secret }), false, secret);
    });

    test(`${name}: no header but the forge's own counts, and none in another shape`, () => {
      for (const [header, value] of Object.entries(vector.headers)) {
        const texts = ['', ' ', `${value},${value}`, `${value}0`, String(value).slice(1), 'sha256=', 'v1,', 'null'];
        for (const text of texts.filter((other) => other !== value))
          assert.equal(isProved({ ...vector, headers: { ...vector.headers, [header]: text } }), false, text);
        const { [header]: _, ...rest } = vector.headers;
        assert.equal(isProved({ ...vector, headers: rest }), false, header);
      }
    });

    test(`${name}: another forge's way of signing does not count`, () => {
      for (const forge of ['github', 'gitea', 'gitlab'] as const)
        if (forge !== vector.forge) assert.equal(isProved({ ...vector, forge }), false, forge);
    });
  }

  test('no other body than the one that was signed', () => {
    for (const vector of [GITHUB, GITLAB_SIGNED, GITEA, FORGEJO])
      for (const body of ['', `${vector.body} `, vector.body.slice(1)])
        assert.equal(isProved({ ...vector, body }), false);
  });

  test('SHA-1 does not count, though GitHub sends it beside SHA-256', () => {
    const digest = createHmac('sha1', GITHUB.secret).update(GITHUB.body).digest('hex');
    for (const headers of [{ 'x-hub-signature': `sha1=${digest}` }, { 'x-hub-signature-256': `sha1=${digest}` }])
      assert.equal(isProved({ ...GITHUB, headers }), false);
  });

  test('a copy of what GitLab signed is worth five minutes, and what is dated ahead not more', () => {
    for (const [minutes, isGood] of [
      [-6, false],
      [-5, true],
      [5, true],
      [6, false],
    ] as const)
      assert.equal(isProved(GITLAB_SIGNED, SIGNED_AT + minutes * 60_000), isGood, `${minutes}`);
  });

  test('neither its time nor its id can be changed, and one good signature among several is enough', () => {
    const { headers } = GITLAB_SIGNED;
    for (const change of [{ 'webhook-timestamp': '1614265331' }, { 'webhook-id': 'msg_other' }])
      assert.equal(isProved({ ...GITLAB_SIGNED, headers: { ...headers, ...change } }), false);
    const others = `v1a,AAAA v1,${Buffer.alloc(32).toString('base64')} ${headers['webhook-signature']}`;
    assert.equal(isProved({ ...GITLAB_SIGNED, headers: { ...headers, 'webhook-signature': others } }), true);
  });

  test('where a signing token is configured, the token alone proves nothing', () => {
    const headers = { 'x-gitlab-token': GITLAB_SIGNED.secret };
    assert.equal(isProved({ ...GITLAB_SIGNED, headers }), false);
    assert.equal(isProved({ ...GITLAB_SIGNED, secret: 'whsec_' }), false);
  });

  test('whatever the headers are, nothing is thrown and nothing is proved', () => {
    const names = Object.values(ALL).flatMap(({ headers }) => Object.keys(headers));
    const headers = fc.dictionary(fc.constantFrom(...names), fc.oneof(fc.string(), fc.array(fc.string())));
    fc.assert(
      fc.property(headers, fc.constantFrom<Forge>('github', 'gitea', 'gitlab'), (some, forge) => {
        const hostile = some as IncomingHttpHeaders;
        assert.equal(isProved({ forge, secret: 'the one that nobody knows', body: 'x', headers: hostile }), false);
      }),
    );
  });
});
