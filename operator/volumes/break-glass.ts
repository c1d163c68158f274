import type { AuditActor } from '../../core/audit/record.ts';
import { CofferError } from '../../core/errors.ts';
import type { Manifest } from '../../core/format/manifest/manifest.ts';
import { BREAK_GLASS_AUDIENCE } from '../../core/requests/published.ts';
import { ENTRY, MANIFEST_NAME, NAME } from '../../schemas/grammar.ts';
import { RequestRate } from '../concurrency/request-rate.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import { type KubeObject, RESOURCES } from '../kubernetes/resource.ts';
import type { Denials } from './denials.ts';
import { jsonObject, VERSION_HEADER } from './protocol.ts';
import type { Reader } from './reader.ts';
import { readReason } from './reason.ts';
import type { Answer, Asked } from './server.ts';
import { bearerToken, type TokenOwner, TokenReviews } from './token-reviews.ts';

export interface BreakGlassParts {
  client: KubeClient;
  reader: Reader;
  denials: Denials;
}

interface Wish {
  namespace: string;
  name: string;
  entry: string;
  reason: string;
}

/** What RBAC has to allow, on `encryptedsecrets.coffer.dev`. */
const VERB = 'break-glass';

/** Milliseconds. */
const TOKEN_AGE = 5_000;

interface SubjectAccessReview extends KubeObject {
  status?: { allowed?: boolean; denied?: boolean };
}

/**
 * Gives one value to a person, in an emergency:
 *
 *   POST /v1/break-glass   Authorization: Bearer TOKEN   {"namespace", "name", "entry", "reason"}
 *   200 application/octet-stream: the value as it is · else a refusal as JSON
 *
 * Who it is says the API server (TokenReview), and whether RBAC allows it (SubjectAccessReview); who and why are in the record before
 * the answer, also where the answer is no.
 */
export class BreakGlassRoute {
  readonly #parts: BreakGlassParts;
  readonly #tokens: readonly TokenReviews[];
  readonly #peers = new RequestRate(1, 20);

  constructor(parts: BreakGlassParts) {
    this.#parts = parts;
    this.#tokens = [new TokenReviews(parts.client), new TokenReviews(parts.client, BREAK_GLASS_AUDIENCE)];
  }

  /**
   * Throws CofferError `VOLUME_BUSY`, `VOLUME_REQUEST`, `VOLUME_TOKEN_MISSING`, `_REFUSED`, `BREAK_GLASS_REASON`,
   * `BREAK_GLASS_FORBIDDEN`, `MANIFEST_ENTRY_UNKNOWN`, KubernetesError, and what Reader throws.
   */
  async answer({ authorization, body, from }: Asked): Promise<Answer> {
    if (!this.#peers.admits(from))
      throw new CofferError('VOLUME_BUSY', 'Too many requests came from here.', { advice: 'Wait a minute.' });
    const token = bearerToken(authorization);
    const wish = wishIn(body);
    const owner = await this.#owner(token);
    const actor: AuditActor = { kind: 'user', user: owner.user };
    const record = { action: 'read', actor, reason: wish.reason } as const;
    if (!(await this.#isAllowed(owner, wish))) throw await this.#refused(wish, actor);
    const { namespace, name, entry } = wish;
    const reading = await this.#parts.reader.read({
      namespace,
      name,
      entries: (manifest) => onlyEntry(manifest, entry),
      record,
    });
    const value = reading.unchanged ? undefined : reading.values.get(entry);
    if (reading.unchanged || value === undefined) throw entryUnknown(wish);
    return { body: [value], headers: { [VERSION_HEADER]: reading.version }, wipe: () => reading.wipe() };
  }

  async #owner(token: string): Promise<TokenOwner> {
    for (const tokens of this.#tokens) {
      const owner = await tokens.ownerOf(token, TOKEN_AGE);
      if (owner !== undefined) return owner;
    }
    throw new CofferError('VOLUME_TOKEN_REFUSED', 'The API server does not accept this token.', {
      advice: `Log in again; or use a token of \`kubectl create token SERVICEACCOUNT --audience ${BREAK_GLASS_AUDIENCE}\`.`,
    });
  }

  async #isAllowed({ user, uid, groups, extra }: TokenOwner, { namespace, name }: Wish): Promise<boolean> {
    const { group, plural } = RESOURCES.encryptedSecrets;
    const { status } = await this.#parts.client.create<SubjectAccessReview>(RESOURCES.subjectAccessReviews, {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: {
        user,
        uid,
        groups,
        extra,
        resourceAttributes: { group, resource: plural, verb: VERB, namespace, name },
      },
    });
    return status?.allowed === true && status.denied !== true;
  }

  async #refused({ namespace, name, entry, reason }: Wish, actor: AuditActor): Promise<CofferError> {
    const error = new CofferError(
      'BREAK_GLASS_FORBIDDEN',
      `${actor.user} may not read values of ${namespace}/${name}.`,
      {
        advice: `Have somebody grant you the verb ${VERB} on encryptedsecrets.coffer.dev there.`,
        data: { namespace, name, entry },
      },
    );
    await this.#parts.denials.record(
      error,
      { action: 'read', actor, namespace, name, entries: [entry], reason },
      'every',
    );
    return error;
  }
}

function wishIn(body: Buffer): Wish {
  const { namespace, name, entry, reason } = jsonObject(body) ?? {};
  if (isLike(namespace, NAME) && isLike(name, MANIFEST_NAME) && isLike(entry, ENTRY))
    return { namespace, name, entry, reason: readReason(reason) };
  throw new CofferError('VOLUME_REQUEST', 'The request is not {"namespace", "name", "entry", "reason"}.', {
    advice: 'See that operator and client are of one release.',
    exit: 2,
  });
}

function isLike(value: unknown, pattern: string): value is string {
  return typeof value === 'string' && new RegExp(pattern).test(value);
}

function onlyEntry(manifest: Manifest, entry: string): ReadonlySet<string> {
  if (manifest.entries.has(entry) || manifest.template.data.has(entry)) return new Set([entry]);
  throw entryUnknown({ namespace: manifest.namespace, name: manifest.name, entry });
}

function entryUnknown({ namespace, name, entry }: Omit<Wish, 'reason'>): CofferError {
  return new CofferError('MANIFEST_ENTRY_UNKNOWN', `${namespace}/${name} has no entry ${entry}.`, {
    advice: 'Look into its manifest for the names of its entries.',
    data: { namespace, name, entry },
    exit: 2,
  });
}
