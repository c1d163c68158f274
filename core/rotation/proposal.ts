/** What an operator proposes: what it says, how it is published and read, how it gets into a repository. */

export { applyProposal } from './proposal/apply.ts';
export { withStanzasIn } from './proposal/apply-stanzas.ts';
export { proposalText, readProposalText } from './proposal/document.ts';
export { namesDataKey } from './proposal/naming.ts';
export { type Publisher, proposalParts, readProposal } from './proposal/parts.ts';
export type { Proposal, ProposalBase, ProposedValue } from './proposal/proposal.ts';
export { isEmpty, isSame } from './proposal/same.ts';
