import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Whose way of signing. `gitea`: Forgejo signs so, too. */
export type Forge = 'github' | 'gitea' | 'gitlab';

/** What the headers of a request say of its body, to be held against a secret. */
export interface Claim {
  /** Each piece of the body, in order. */
  add(piece: Uint8Array): void;
  /** Asked once, after the last piece. */
  isTrue(): boolean;
}

/** Milliseconds that a signed time may be off, either way: what standardwebhooks.com/spec advises. */
const TOLERANCE = 5 * 60_000;
/** With this a signing token begins; what follows it is the key in base64. */
const SIGNING_TOKEN = 'whsec_';

/** Whether there is anything that this forge would prove itself with; says nothing of whether it is right. */
export function isSigned(forge: Forge, headers: IncomingHttpHeaders): boolean {
  return PROOFS[forge].some((name) => headers[name] !== undefined);
}

/** `secret`: not empty. Absent where the headers cannot be true of any body. */
export function readClaim(forge: Forge, headers: IncomingHttpHeaders, secret: string, now: Date): Claim | undefined {
  if (forge === 'github') {
    // docs.github.com, "Validating webhook deliveries". X-Hub-Signature beside it is SHA-1.
    const [, digest] = /^sha256=([0-9a-f]{64})$/.exec(one(headers, 'x-hub-signature-256')) ?? [];
    return digest === undefined ? undefined : hmacClaim(secret, [Buffer.from(digest, 'hex')]);
  }
  if (forge === 'gitea') {
    // docs.gitea.com, "Webhooks". Forgejo sends both.
    const text = one(headers, 'x-forgejo-signature') || one(headers, 'x-gitea-signature');
    return /^[0-9a-f]{64}$/.test(text) ? hmacClaim(secret, [Buffer.from(text, 'hex')]) : undefined;
  }
  return secret.startsWith(SIGNING_TOKEN) ? gitlabSigned(headers, secret, now) : gitlabToken(headers, secret);
}

const PROOFS: Readonly<Record<Forge, readonly string[]>> = {
  github: ['x-hub-signature-256'],
  gitea: ['x-forgejo-signature', 'x-gitea-signature'],
  gitlab: ['x-gitlab-token', 'webhook-signature'],
};

/** GitLab's secret token is the secret itself (docs.gitlab.com, "Webhooks"): it proves nothing of the body. */
function gitlabToken(headers: IncomingHttpHeaders, secret: string): Claim | undefined {
  const token = one(headers, 'x-gitlab-token');
  if (token === '') return undefined;
  // Of equal length, so that neither content nor length shows in the time. Node gives the bytes of headers as latin1.
  const isTrue = timingSafeEqual(sha256(Buffer.from(token, 'latin1')), sha256(Buffer.from(secret)));
  return { add: () => {}, isTrue: () => isTrue };
}

/** GitLab's signing token follows standardwebhooks.com/spec: over id, time and body, so that a copy is worth five minutes. */
function gitlabSigned(headers: IncomingHttpHeaders, secret: string, now: Date): Claim | undefined {
  const [id, time] = [one(headers, 'webhook-id'), one(headers, 'webhook-timestamp')];
  if (!/^[\x21-\x7e]{1,256}$/.test(id) || !/^[0-9]{1,12}$/.test(time)) return undefined;
  if (Math.abs(now.getTime() - Number(time) * 1000) > TOLERANCE) return undefined;
  // While a token is rotated, there may be one of each.
  const signatures = one(headers, 'webhook-signature')
    .split(' ', 8)
    .filter((one) => /^v1,[A-Za-z0-9+/]{43}=$/.test(one))
    .map((one) => Buffer.from(one.slice('v1,'.length), 'base64'));
  const text = secret.slice(SIGNING_TOKEN.length);
  const key = Buffer.from(text, 'base64');
  // Node skips what is no base64: a token that was cut would be another, weaker key.
  if (signatures.length === 0 || key.length === 0 || key.toString('base64') !== text) return undefined;
  const claim = hmacClaim(key, signatures);
  claim.add(Buffer.from(`${id}.${time}.`));
  return claim;
}

/** That one of these is the HMAC-SHA256 of the body. */
function hmacClaim(key: string | Buffer, digests: readonly Buffer[]): Claim {
  const hmac = createHmac('sha256', key);
  return {
    add: (piece) => hmac.update(piece),
    isTrue: () => {
      const digest = hmac.digest();
      return digests.some((claimed) => timingSafeEqual(claimed, digest));
    },
  };
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** Of a header that was sent twice Node makes one text, or a list: no forge does so. */
function one(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name];
  return typeof value === 'string' ? value : '';
}
