import { orNothing } from '../../errors.ts';
import { recipientFile } from '../../keys/create.ts';
import { editRecipient } from '../../keys/edit-recipient.ts';
import { uniteKeys } from '../../keys/new-key.ts';
import { activeKey, type Recipient, readRecipient } from '../../keys/recipient.ts';
import { isFulfilled } from '../../requests/fulfilled.ts';
import { type Request, readRequest, requestFile, rotateRequestId } from '../../requests/request.ts';
import { withSeeds } from './apply-seeds.ts';
import { type KeysOf, withStanzas } from './apply-stanzas.ts';
import { withValues } from './apply-values.ts';
import type { Proposal, ProposalBase } from './proposal.ts';

/**
 * Path → its new text, or undefined where the file goes: what of the proposal is not there yet, and still fits. Nothing else changes,
 * so that applied to what comes of it, it changes nothing any more. What does not fit any longer is left out: the operator looks at
 * what is there next, and proposes anew.
 *
 * - A recipient's file gets the keys that it lacks, and statuses go forward; with another identity it stays, and while a request says
 *   that a key was stolen, a key that was made before becomes active by nobody's proposal: it may have lain beside it.
 * - A stanza goes in where the recipient is listed, its key is the active one, and what is there is of an older key.
 * - The values of a manifest go in together, where each entry is as it was, and every listed recipient has a stanza.
 * - The file of a request goes once it is fulfilled.
 */
export async function applyProposal(
  proposal: Proposal,
  base: ProposalBase,
): Promise<ReadonlyMap<string, Buffer | undefined>> {
  const changed = new Map<string, Buffer | undefined>();
  const keyring = new Keyring(base);
  for (const [path, bytes] of await recipientChanges(proposal, keyring, base)) changed.set(path, bytes);
  for (const path of await pathsOf(proposal, base)) {
    const bytes = await base.read(path);
    if (bytes === undefined) continue;
    const values = await withValues(bytes, path, proposal, (name) => keyring.keysOf(name));
    const after = await withStanzas(values, path, proposal.stanzas, (name) => keyring.keysOf(name));
    if (!after.equals(bytes)) changed.set(path, after);
  }
  for (const id of proposal.fulfils) {
    const path = requestFile(id);
    const request = await requestAt(path, base);
    if (request !== undefined && (await isDoneWith(request, keyring))) changed.set(path, undefined);
  }
  return changed;
}

async function pathsOf({ stanzas, values }: Proposal, base: ProposalBase): Promise<string[]> {
  const naming = stanzas.size === 0 ? [] : await base.naming(new Set(stanzas.keys()));
  return [...new Set([...naming, ...values.map(({ path }) => path)])];
}

/** The recipients of the base as the proposal leaves them. */
class Keyring {
  readonly #base: ProposalBase;
  readonly #recipients = new Map<string, Recipient | undefined>();

  constructor(base: ProposalBase) {
    this.#base = base;
  }

  /** Undefined where there is none that can be read. */
  async recipient(name: string): Promise<Recipient | undefined> {
    if (!this.#recipients.has(name)) {
      const bytes = await this.#base.read(recipientFile(name));
      this.#recipients.set(name, bytes === undefined ? undefined : recipientOrNothing(bytes, recipientFile(name)));
    }
    return this.#recipients.get(name);
  }

  async keysOf(name: string): Promise<KeysOf> {
    return (await this.recipient(name))?.keys;
  }

  /** The file's new text. */
  async change(wanted: Recipient): Promise<Buffer | undefined> {
    const bytes = await this.#base.read(wanted.file);
    if (bytes === undefined) return undefined;
    const after = Buffer.from(editRecipient(bytes, wanted));
    this.#recipients.set(wanted.name, wanted);
    return after.equals(bytes) ? undefined : after;
  }
}

async function recipientChanges(
  { recipient, seeds, cluster }: Proposal,
  keyring: Keyring,
  base: ProposalBase,
): Promise<Map<string, Buffer>> {
  const changed = new Map<string, Buffer>();
  const change = async (wanted: Recipient | undefined) => {
    const bytes = wanted === undefined ? undefined : await keyring.change(wanted);
    if (wanted !== undefined && bytes !== undefined) changed.set(wanted.file, bytes);
  };
  if (recipient !== undefined) {
    const head = await keyring.recipient(recipient.name);
    const proposed = recipientOrNothing(Buffer.from(recipient.text), recipientFile(recipient.name));
    const united = head && proposed && uniteKeys(head, proposed);
    if (head !== undefined && united !== undefined && !(await isOvertaken(head, united, base))) await change(united);
  }
  for (const [name, rows] of seeds ?? []) {
    const group = await keyring.recipient(name);
    if (group !== undefined) await change(withSeeds(group, cluster, rows, await keyring.keysOf(cluster)));
  }
  return changed;
}

async function isOvertaken(head: Recipient, united: Recipient, base: ProposalBase): Promise<boolean> {
  const active = activeKey(united);
  for (const { kid, status } of head.keys) {
    if (active === undefined || status !== 'revoked') continue;
    const path = requestFile(rotateRequestId(head.name, kid));
    const request = await requestAt(path, base);
    if (request?.kind === 'rotate' && request.revoke && active.created <= request.created) return true;
  }
  return false;
}

/** A file that is broken is for those who check the repository to tell of. */
function recipientOrNothing(bytes: Buffer, file: string): Recipient | undefined {
  return orNothing(() => readRecipient(bytes, file));
}

async function isDoneWith(request: Request, keyring: Keyring): Promise<boolean> {
  return isFulfilled(request, request.kind === 'rotate' ? await keyring.recipient(request.recipient) : undefined);
}

/** Undefined where there is none that can be read. */
async function requestAt(path: string, base: ProposalBase): Promise<Request | undefined> {
  const bytes = await base.read(path);
  return bytes && orNothing(() => readRequest(bytes, path));
}
