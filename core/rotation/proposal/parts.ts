import { createHash } from 'node:crypto';
import { CofferError } from '../../errors.ts';
import { damaged, proposalText, readProposalText } from './document.ts';
import type { Proposal } from './proposal.ts';

/** An object of Kubernetes holds 1 MiB at most, and etcd's requests 1.5 MiB. */
export const PART_LIMIT = 512 * 1024;
/** For what stands around a part's text. */
const AROUND = 512;
/** 10,000 manifests with ten data keys each have 160 MB of stanzas. */
const MOST_BYTES = 256 * 1024 * 1024;

/** A stretch of a proposal's text; the digest tells which, so that parts of two states are never put together. */
interface Part {
  proposal: string;
  digest: string;
  part: number;
  parts: number;
  text: string;
}

/** JSON texts of at most 512 KiB, at least one; the same proposal gives the same texts. */
export function proposalParts(proposal: Proposal): string[] {
  const text = proposalText(proposal);
  const stretches: string[] = [];
  for (let at = 0; at < text.length; at += stretches.at(-1)?.length ?? 0) stretches.push(stretchOf(text, at));
  const about = { proposal: proposal.id, digest: digestOf(text) };
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
 * All parts of one proposal, in any order. What it holds keeps to the grammars; whether it fits a repository, `applyProposal` sees.
 *
 * @throws CofferError PROPOSAL_DAMAGED, PROPOSAL_PARTS (some are missing, or of another state)
 */
export function readProposal(texts: readonly string[]): Proposal {
  if (texts.reduce((sum, text) => sum + text.length, 0) > MOST_BYTES) throw damaged();
  const parts = texts.map(readPart).toSorted((one, other) => one.part - other.part);
  const [first] = parts;
  const isWhole = parts.every(
    ({ part, parts: all, digest }, at) => part === at && all === parts.length && digest === first?.digest,
  );
  if (first === undefined || !isWhole) {
    throw new CofferError('PROPOSAL_PARTS', 'the operator is just publishing another state of what it proposes', {
      advice: 'Fetch it again in a moment.',
    });
  }
  const text = parts.map((part) => part.text).join('');
  const proposal = digestOf(text) === first.digest ? readProposalText(text) : undefined;
  if (proposal === undefined || parts.some((part) => part.proposal !== proposal.id)) throw damaged();
  return proposal;
}

function readPart(text: string): Part {
  try {
    const part: unknown = JSON.parse(text);
    if (isPart(part)) return part;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw damaged();
}

function isPart(value: unknown): value is Part {
  if (typeof value !== 'object' || value === null) return false;
  const { proposal, digest, part, parts, text } = value as Partial<Record<keyof Part, unknown>>;
  return [proposal, digest, text].every((field) => typeof field === 'string') && [part, parts].every(Number.isInteger);
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
