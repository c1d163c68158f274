import { createHash } from 'node:crypto';
import { CofferError } from '../../errors.ts';
import { parseJson } from '../../json.ts';
import { damaged, proposalText, readProposalText } from './document.ts';
import type { Proposal } from './proposal.ts';
import { isSignedBy, signProposal } from './signature.ts';

/** An object of Kubernetes holds 1 MiB at most, and etcd's requests 1.5 MiB. */
export const PART_LIMIT = 512 * 1024;
/** For what stands around a part's text. */
const AROUND = 512;
/** 10,000 manifests with ten data keys each have 160 MB of stanzas. */
const MOST_BYTES = 256 * 1024 * 1024;

/** A stretch of a proposal's text; the digest tells which, so that parts of two states are never put together. */
interface Part {
  proposal: string;
  cluster: string;
  digest: string;
  /** Of all of it, the same in each part: docs/format.md, "Proposals". */
  signature: string;
  part: number;
  parts: number;
  text: string;
}

/** Whose proposal is wanted. */
export interface Publisher {
  cluster: string;
  /** Of the proposal. */
  id: string;
  /** The cluster's, Ed25519, 32 bytes: the one that is pinned. */
  identity: Uint8Array;
}

/**
 * JSON texts of at most 512 KiB, at least one; the same proposal gives the same texts.
 *
 * @param identitySeed 32 bytes, of the cluster that proposes
 */
export function proposalParts(proposal: Proposal, identitySeed: Uint8Array): string[] {
  const text = proposalText(proposal);
  const stretches: string[] = [];
  for (let at = 0; at < text.length; at += stretches.at(-1)?.length ?? 0) stretches.push(stretchOf(text, at));
  const { id, cluster } = proposal;
  const digest = digestOf(text);
  const about = { proposal: id, cluster, digest, signature: signProposal(identitySeed, { cluster, id, digest }) };
  return stretches.map((stretch, part) => {
    const json: Part = { ...about, part, parts: stretches.length, text: stretch };
    return JSON.stringify(json);
  });
}

/** As much as fits: quotes take two bytes in JSON, and letters of other scripts up to six. */
function stretchOf(text: string, start: number): string {
  let length = PART_LIMIT - AROUND;
  for (;;) {
    const stretch = text.slice(start, start + length);
    if (Buffer.byteLength(JSON.stringify(stretch)) <= PART_LIMIT - AROUND) return stretch;
    length = Math.floor(length * 0.95);
  }
}

/**
 * All parts of one proposal, in any order. What it holds keeps to the grammars and is signed by the identity; whether it fits a
 * repository, `applyProposal` sees. An older proposal of the same cluster is as well signed.
 *
 * @throws CofferError PROPOSAL_DAMAGED, PROPOSAL_PARTS (some are missing, or of another state), PROPOSAL_OTHER (of another cluster, or
 * another matter), PROPOSAL_UNSIGNED, PROPOSAL_IDENTITY
 */
export function readProposal(texts: readonly string[], publisher: Publisher): Proposal {
  if (texts.reduce((sum, text) => sum + text.length, 0) > MOST_BYTES) throw damaged();
  const parts = texts.map(readPart).toSorted((one, other) => one.part - other.part);
  const [first] = parts;
  if (first === undefined || !parts.every((part, at) => follows(part, at, first, parts.length))) {
    throw new CofferError('PROPOSAL_PARTS', 'The operator is just publishing another state of what it proposes.', {
      advice: 'Fetch it again in a moment.',
    });
  }
  const text = parts.map((part) => part.text).join('');
  if (digestOf(text) !== first.digest) throw damaged();
  refuseOthers(first, publisher);
  const proposal = readProposalText(text);
  if (proposal.id !== publisher.id || proposal.cluster !== publisher.cluster) throw damaged();
  return proposal;
}

function follows({ part, parts, digest, signature }: UnsignedPart, at: number, first: UnsignedPart, count: number) {
  return part === at && parts === count && digest === first.digest && signature === first.signature;
}

function refuseOthers(
  { proposal, digest, signature, ...part }: UnsignedPart,
  { cluster, id, identity }: Publisher,
): void {
  const data = { recipient: cluster, name: id };
  if (proposal !== id || (part.cluster ?? cluster) !== cluster) {
    throw new CofferError('PROPOSAL_OTHER', `What is published there is not ${id} of ${cluster}.`, {
      advice: 'Name the cluster whose operator published it, or its own context or file.',
      data,
    });
  }
  if (signature === undefined) {
    throw new CofferError('PROPOSAL_UNSIGNED', `${id} is signed by nobody.`, {
      advice: `Take nothing of it. An older operator signed nothing: update that of ${cluster}, and it publishes anew; else find out who put it there.`,
      data,
      exit: 1,
    });
  }
  if (!isSignedBy(identity, signature, { cluster, id, digest })) {
    throw new CofferError('PROPOSAL_IDENTITY', `${id} is not signed by the identity of ${cluster}.`, {
      advice: `Take nothing of it: somebody else published it, or changed it. Ask who runs ${cluster}.`,
      data,
      exit: 1,
    });
  }
}

/** As it may come from elsewhere. */
type UnsignedPart = Omit<Part, 'cluster' | 'signature'> & { [name in 'cluster' | 'signature']: string | undefined };

function readPart(text: string): UnsignedPart {
  const part = parseJson(text);
  if (isPart(part)) return part;
  throw damaged();
}

function isPart(value: unknown): value is UnsignedPart {
  if (typeof value !== 'object' || value === null) return false;
  const { proposal, cluster, digest, signature, part, parts, text } = value as Partial<Record<keyof Part, unknown>>;
  return (
    [proposal, digest, text].every((field) => typeof field === 'string') &&
    [cluster, signature].every((field) => field === undefined || typeof field === 'string') &&
    [part, parts].every(Number.isInteger)
  );
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
