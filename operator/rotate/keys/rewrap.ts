import { randomUUID } from 'node:crypto';
import type { AuditLog } from '../../../core/audit/log.ts';
import type { IntentRecord, OutcomeRecord } from '../../../core/audit/record.ts';
import { CofferError } from '../../../core/errors.ts';
import { namedDataKeys } from '../../../core/format/edit/sealing-run.ts';
import type { Manifest } from '../../../core/format/manifest/manifest.ts';
import { manifestProblems } from '../../../core/format/manifest/read-manifest.ts';
import type { SealingKey } from '../../../core/format/sealed/stanza.ts';
import { sealGroupSeed } from '../../../core/keys/group.ts';
import type { SecretKeys } from '../../../core/keys/key-file.ts';
import type { Recipient } from '../../../core/keys/recipient.ts';
import { type Opener, openerFor } from '../../../core/opening/opener.ts';
import type { Proposal } from '../../../core/rotation/proposal.ts';
import { Turns } from '../../../core/turns.ts';
import type { Asked } from '../../requests/asked.ts';
import { Sealer } from '../../requests/sealer.ts';
import type { IndexedFile, ParsedFile } from './stanza-index.ts';

/** What is sealed anew to the newest key, of one source. */
export interface Rewrapped {
  /** Data key id → `KID:b64u`. */
  stanzas: ReadonlyMap<string, string>;
  /** Group → id of its key → `KID:b64u`. */
  seeds: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Manifests that did not open: path → why. */
  refused: ReadonlyMap<string, string>;
  /** How many stanzas were not known before. */
  made: number;
}

export interface RewrapOptions {
  cluster: string;
  /** The cluster's own newest key: to nobody else is anything sealed. */
  key: SealingKey;
  keys: SecretKeys;
  /** Those that hold stanzas of other keys that are held. What is found in them is kept there. */
  files: readonly IndexedFile[];
  /** What was published before, to be made once only. */
  known: Proposal | undefined;
  audit: Pick<AuditLog, 'append'>;
  signal: AbortSignal;
}

/**
 * What the cluster opens by an older key of its own, sealed to its newest one. A record of each manifest is on disk before it is opened.
 * A file is parsed once, and again only where something in it is still to be sealed.
 *
 * @throws CofferError AUDIT_*, what the repository throws; the reason of the signal
 */
export async function rewrapped(asked: Asked, options: RewrapOptions): Promise<Rewrapped> {
  const { cluster, key, keys, files, audit, signal } = options;
  const opener = openerFor(asked.keyring, keys, { as: cluster });
  const olderOf = (own: ParsedFile['own']) =>
    own.filter(({ kid }) => kid !== key.kid && opener.holds(cluster, kid)).map(({ id }) => id);
  const lacking = (manifest: Manifest) => olderOf(ownStanzas(manifest, cluster));
  const sealer = new Sealer({ cluster, audit, asked, key, lacking, opener, known: knownStanzas(options) });
  const tried = [...new Set([key.kid, ...keys.keys.keys()])].join(' ');
  const turns = new Turns(signal);
  try {
    for (const file of files) {
      await turns.next();
      const refused = file.parsed?.refused?.keys === tried ? file.parsed.refused : undefined;
      if (refused !== undefined) sealer.refused.set(file.path, refused.why);
      // What was made beside a refusal may never have been handed over: then it is made anew.
      const toMake = file.parsed && olderOf(file.parsed.own).filter((id) => refused?.ids.has(id) !== true);
      if (toMake !== undefined && sealer.takeKnown(toMake)) continue;
      const manifests = await manifestsFor(cluster, file, asked);
      file.parsed = { own: manifests.flatMap((manifest) => ownStanzas(manifest, cluster)) };
      for (const manifest of manifests) await sealer.add(manifest);
    }
    await sealer.finish();
    for (const { path, parsed } of files) {
      const why = sealer.refused.get(path);
      if (parsed === undefined || why === undefined) continue;
      const ids = new Set(olderOf(parsed.own).filter((id) => !sealer.stanzas.has(id)));
      parsed.refused = { ids, why, keys: tried };
    }
    const seeds = await rewrappedSeeds(asked, opener, options);
    return { stanzas: sealer.stanzas, seeds, refused: sealer.refused, made: sealer.made };
  } finally {
    opener.wipe();
  }
}

/** Of the data keys in use that have a stanza for the recipient. */
function ownStanzas(manifest: Manifest, recipient: string): { id: string; kid: string }[] {
  const used = [...new Set(namedDataKeys(manifest).values())].filter((id) => id !== undefined);
  return used.flatMap((id) => {
    const stanza = manifest.stanzas.get(id)?.get(recipient);
    return stanza === undefined ? [] : { id, kid: stanza.kid };
  });
}

async function manifestsFor(cluster: string, { path, oid }: IndexedFile, { source }: Asked): Promise<Manifest[]> {
  const { file } = manifestProblems(await source.repository.readBlob(oid), path);
  return (file?.manifests ?? []).filter(({ recipients }) => recipients.includes(cluster));
}

function knownStanzas({ known, key }: RewrapOptions): Map<string, string> {
  const rows = Array.from(known?.stanzas ?? [], ([id, row]) => [id, row.get(key.recipient)] as const);
  return new Map(rows.filter((row): row is [string, string] => row[1]?.startsWith(`${key.kid}:`) === true));
}

/** A member opens a group's key by the seed that is sealed to it (docs/format.md, "Recipients"). */
async function rewrappedSeeds(asked: Asked, opener: Opener, options: RewrapOptions): Promise<Rewrapped['seeds']> {
  const { cluster, key, known } = options;
  const seeds = new Map<string, Map<string, string>>();
  for (const group of asked.keyring.recipients.values()) {
    for (const { kid, seeds: rows } of group.keys) {
      const row = rows.get(cluster);
      if (row === undefined || row.kid === key.kid || !opener.holds(group.name, kid)) continue;
      const before = known?.seeds?.get(group.name)?.get(kid);
      const text = before?.startsWith(`${key.kid}:`) ? before : await rewrappedSeed(asked, group, kid, opener, options);
      if (text === undefined) continue;
      const made = seeds.get(group.name) ?? new Map<string, string>();
      seeds.set(group.name, made.set(kid, text));
    }
  }
  return seeds;
}

async function rewrappedSeed(
  { source, state }: Asked,
  group: Recipient,
  kid: string,
  opener: Opener,
  { cluster, key, audit }: RewrapOptions,
): Promise<string | undefined> {
  const about: Omit<IntentRecord, 'event'> = {
    action: 'rewrap',
    operation: randomUUID(),
    cluster,
    recipient: cluster,
    keyIds: [kid],
    path: group.file,
    source: source.id,
    commit: state.commit,
  };
  await audit.append([{ event: 'secret.intent', ...about }]);
  const outcome: OutcomeRecord = { event: 'secret.outcome', ...about };
  try {
    const secret = opener.secretKey(group.name, kid);
    const text = secret && sealGroupSeed(secret.seed, { name: group.name, kid }, key);
    await audit.append([{ ...outcome, outcome: text === undefined ? 'refused' : 'written' }]);
    return text;
  } catch (error) {
    if (!(error instanceof CofferError)) throw error;
    await audit.append([{ ...outcome, outcome: 'refused', code: error.code, message: error.message }]);
    return undefined;
  }
}
