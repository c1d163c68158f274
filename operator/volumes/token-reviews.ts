import { createHmac, randomBytes } from 'node:crypto';
import { CofferError } from '../../core/errors.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import { type KubeObject, RESOURCES } from '../kubernetes/resource.ts';

/** Who a token belongs to, as the API server says. */
export interface TokenOwner {
  /** `system:serviceaccount:NAMESPACE:NAME` for a ServiceAccount. */
  user: string;
  uid?: string;
  groups: readonly string[];
  extra: Readonly<Record<string, readonly string[]>>;
}

interface TokenReview extends KubeObject {
  status?: {
    authenticated?: boolean;
    audiences?: string[];
    user?: { username?: string; uid?: string; groups?: string[]; extra?: Record<string, string[]> };
  };
}

/** What was asked of the API server, and when, on the monotonic clock. */
interface Review {
  at: number;
  owner: Promise<TokenOwner | undefined>;
}

/** At most so many answers are kept; the oldest go first. */
const KEPT = 20_000;
/** Milliseconds; that a token is not good is asked again no sooner. */
const REFUSAL_LASTS = 2_000;

/**
 * Asks the API server whose a token is (TokenReview), and remembers the answer for as long as each caller accepts. Tokens are
 * remembered by a keyed hash that dies with the process. For a token that is bound to a pod the server also looks whether that pod
 * still lives.
 */
export class TokenReviews {
  readonly #client: KubeClient;
  readonly #audience: string | undefined;
  readonly #key = randomBytes(32);
  readonly #reviews = new Map<string, Review>();

  /** Absent audience: the API server's own. */
  constructor(client: KubeClient, audience?: string) {
    this.#client = client;
    this.#audience = audience;
  }

  /**
   * undefined: forged, expired, revoked or for another audience. `maxAge`: milliseconds. Throws KubernetesError where the server
   * cannot be asked.
   */
  async ownerOf(token: string, maxAge: number): Promise<TokenOwner | undefined> {
    const hash = createHmac('sha256', this.#key).update(token).digest('base64');
    const known = this.#reviews.get(hash);
    if (known !== undefined) {
      const age = performance.now() - known.at;
      const owner = age < Math.max(maxAge, REFUSAL_LASTS) ? await known.owner : undefined;
      if (age < (owner === undefined ? REFUSAL_LASTS : maxAge)) return owner;
    }
    const review = { at: performance.now(), owner: this.#review(token) };
    this.#remember(hash, review);
    try {
      return await review.owner;
    } catch (error) {
      if (this.#reviews.get(hash) === review) this.#reviews.delete(hash);
      throw error;
    }
  }

  #remember(hash: string, review: Review): void {
    this.#reviews.delete(hash);
    this.#reviews.set(hash, review);
    for (const oldest of this.#reviews.keys()) {
      if (this.#reviews.size <= KEPT) break;
      this.#reviews.delete(oldest);
    }
  }

  async #review(token: string): Promise<TokenOwner | undefined> {
    const audiences = this.#audience === undefined ? {} : { audiences: [this.#audience] };
    const { status } = await this.#client.create<TokenReview>(RESOURCES.tokenReviews, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: { token, ...audiences },
    });
    if (status?.authenticated !== true || status.user?.username === undefined) return undefined;
    // A server that knows nothing of audiences leaves them out: then nobody said that the token is meant for us.
    if (this.#audience !== undefined && !status.audiences?.includes(this.#audience)) return undefined;
    const { username, uid, groups = [], extra = {} } = status.user;
    return { user: username, ...(uid === undefined ? {} : { uid }), groups, extra };
  }
}

/** The token of an `Authorization: Bearer` header (RFC 6750, section 2.1). Throws CofferError `VOLUME_TOKEN_MISSING`. */
export function bearerToken(authorization: string | undefined): string {
  const [, token] = /^Bearer ([A-Za-z0-9._~+/=-]+)$/i.exec(authorization ?? '') ?? [];
  if (token !== undefined) return token;
  throw new CofferError('VOLUME_TOKEN_MISSING', 'The request carries no bearer token.', {
    advice: 'Send `Authorization: Bearer TOKEN`.',
    exit: 2,
  });
}
