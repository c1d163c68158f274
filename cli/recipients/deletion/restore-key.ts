import { readFile } from 'node:fs/promises';
import { CofferError } from '../../../core/errors.ts';
import { objectOf, parseJson } from '../../../core/json.ts';
import { storeSecretKey } from '../../../core/keys/key-directory.ts';
import type { Keyring } from '../../../core/keys/keyring.ts';
import { openRetiredSeed } from '../../../core/keys/retired-key.ts';
import type { Opener } from '../../../core/opening/opener.ts';
import { KEY_ID, NAME, STANZA } from '../../../schemas/grammar.ts';
import { keyIdNamed } from '../../input/key-id.ts';
import { Cluster } from '../../kubernetes/cluster.ts';
import type { PublishedPlace } from '../../published/place.ts';
import { keyDirectory } from '../../workspace/key-directory.ts';
import { openKeys } from '../../workspace/open-keys.ts';
import type { Workspace } from '../../workspace/workspace.ts';

/** Beside the operator: `KID.json` → what is kept of that key. */
const CONFIG_MAP = 'coffer-retired-keys';

interface Kept {
  recipient: string;
  kid: string;
  /** Recovery recipient → its seal of the seed. */
  seeds: ReadonlyMap<string, string>;
}

export interface Restored {
  kid: string;
  recipient: string;
  /** Path of the secret key. */
  file: string;
}

/**
 * Opens what an operator kept of a key that it deleted, with a recovery key, and stores the key.
 *
 * @param named the id of the key; the beginning of it is enough where the keyring lists it
 * @param to the folder that gets `KID.key`; absent: the key directory
 * @throws CofferError KEY_ID_UNKNOWN, KEY_ID_AMBIGUOUS, RETIRED_KEY_NONE, RETIRED_KEY_DAMAGED, RETIRED_KEY_NOT_OPEN, RETIRED_SEED_*, KEYS_NONE, CLUSTER_*, FILE_SYSTEM
 */
export async function restoreKey(
  workspace: Workspace,
  named: string,
  place: PublishedPlace,
  { keyDir, to }: { keyDir: string | undefined; to: string | undefined },
): Promise<Restored> {
  const kid = new RegExp(KEY_ID).test(named) ? named : keyIdNamed(named, keyIdsIn(workspace.keyring));
  const kept = readKept('file' in place ? await readFile(place.file, 'utf8') : await fromCluster(kid, place), kid);
  const keys = await openKeys(workspace.keyring, { 'key-dir': keyDir });
  try {
    const seed = opened(kept, keys.opener);
    try {
      return { kid, recipient: kept.recipient, file: await storeSecretKey(keyDirectory(to ?? keyDir), seed) };
    } finally {
      seed.fill(0);
    }
  } finally {
    keys.close();
  }
}

function keyIdsIn({ recipients }: Keyring): string[] {
  return [...recipients.values()].flatMap(({ keys }) => keys.map(({ kid }) => kid));
}

async function fromCluster(kid: string, { namespace, ...choice }: Exclude<PublishedPlace, { file: string }>) {
  const cluster = await Cluster.open(choice);
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps/${CONFIG_MAP}`;
  const text = (await cluster.get<{ data?: Record<string, string> }>(path))?.data?.[`${kid}.json`];
  if (text !== undefined) return text;
  throw new CofferError('RETIRED_KEY_NONE', `nothing is kept there of the key ${kid}`, {
    advice:
      'Name the cluster whose operator deleted it, or a copy of the file from its state directory (retired-keys/).',
    data: { keyId: kid, namespace },
    exit: 1,
  });
}

function readKept(text: string, kid: string): Kept {
  const { recipient, key, seed } = objectOf(parseJson(text));
  const rows = Object.entries(objectOf(seed));
  const isKept =
    typeof recipient === 'string' &&
    new RegExp(NAME).test(recipient) &&
    new RegExp(KEY_ID).test(kid) &&
    key === kid &&
    rows.every(([name, row]) => new RegExp(NAME).test(name) && typeof row === 'string' && new RegExp(STANZA).test(row));
  if (!isKept) throw damaged(kid);
  return { recipient, kid, seeds: new Map(rows.map(([name, row]) => [name, String(row)])) };
}

function opened({ recipient, kid, seeds }: Kept, opener: Opener): Buffer {
  for (const [name, text] of seeds) {
    const key = opener.secretKey(name, text.slice(0, text.indexOf(':')));
    if (key !== undefined) return openRetiredSeed(text, { recipient, kid }, { recipient: name, ...key });
  }
  throw new CofferError('RETIRED_KEY_NOT_OPEN', 'none of the keys at hand is one that it is kept for', {
    advice: `Name the folder with the key of ${[...seeds.keys()].join(' or ')}: --key-dir.`,
    data: { recipient, keyId: kid },
  });
}

function damaged(kid: string): CofferError {
  return new CofferError('RETIRED_KEY_DAMAGED', 'this is not what an operator kept of that key', {
    advice: 'Name the file KID.json of that key, or take the copy from another place.',
    data: new RegExp(KEY_ID).test(kid) ? { keyId: kid } : {},
  });
}
