import { readFile } from 'node:fs/promises';
import { CofferError } from '../../core/errors.ts';
import { recipientFile } from '../../core/keys/create.ts';
import { activeKey, type Recipient, readRecipient } from '../../core/keys/recipient.ts';
import { RECIPIENT_CONFIG_MAP, RECIPIENT_FIELDS } from '../../core/requests/published.ts';
import { Cluster } from '../kubernetes/cluster.ts';
import type { PublishedPlace } from './place.ts';

/**
 * Fetches what an operator announces (docs/operations.md, "Enrol"), and checks that it holds together: the key is its own and endorsed by its identity.
 * Whether the identity is that of the cluster, nobody but a person can say.
 *
 * @throws CofferError ENROLL_NOT_ANNOUNCED, ENROLL_NAME, ENROLL_NO_CLUSTER, CLUSTER_*, FILE_SYSTEM, and what `readRecipient` throws
 */
export async function fetchRecipient(name: string, place: PublishedPlace): Promise<Recipient> {
  const bytes = 'file' in place ? await readFile(place.file) : await fromCluster(place);
  const recipient = readAs(name, bytes);
  if (recipient.type === 'cluster' && activeKey(recipient) !== undefined) return recipient;
  throw new CofferError('ENROLL_NO_CLUSTER', 'what is announced is no cluster with an active key', {
    advice: 'Ask who runs the operator what it announces: only clusters are enrolled like this.',
    data: { recipient: name },
  });
}

async function fromCluster({ namespace, ...choice }: Exclude<PublishedPlace, { file: string }>): Promise<Buffer> {
  const cluster = await Cluster.open(choice);
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps/${RECIPIENT_CONFIG_MAP}`;
  const found = await cluster.get<{ data?: Record<string, string> }>(path);
  const text = found?.data?.[RECIPIENT_FIELDS.file];
  if (text !== undefined) return Buffer.from(text);
  throw new CofferError(
    'ENROLL_NOT_ANNOUNCED',
    `the cluster of context ${cluster.context} announces no recipient in namespace ${namespace}`,
    {
      advice: 'Install the operator first, name its namespace with --namespace, or look into its log.',
      data: { namespace, name: RECIPIENT_CONFIG_MAP },
    },
  );
}

function readAs(name: string, bytes: Buffer): Recipient {
  try {
    return readRecipient(bytes, recipientFile(name));
  } catch (error) {
    if (!(error instanceof CofferError && error.code === 'RECIPIENT_FILE_NAME')) throw error;
    throw new CofferError('ENROLL_NAME', `the operator there calls its cluster ${error.data.recipient}, not ${name}`, {
      advice: `Enrol it as ${error.data.recipient}, or change \`cluster\` in the operator's configuration.`,
      data: { recipient: name },
      cause: error,
    });
  }
}
