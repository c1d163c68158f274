/** Recipients and sealed manifests as texts, to be committed by tests that run the operator. */
import { newDataKey } from '../../core/format/sealed/data-key.ts';
import { sealStanza } from '../../core/format/sealed/stanza.ts';
import { sealValue } from '../../core/format/sealed/value.ts';
import { createGroup, createRecipient } from '../../core/keys/create.ts';
import { keyId } from '../../core/keys/key-id.ts';
import type { Recipient } from '../../core/keys/recipient.ts';
import { renderRecipient } from '../../core/keys/recipient-text.ts';

const CREATED = '2026-11-21T09:00:00Z';

export interface TestRecipient {
  recipient: Recipient;
  seed: Buffer;
  identitySeed: Buffer;
}

/** Fresh keys; `sodiumReady()` must have been awaited. */
export function testCluster(name: string): TestRecipient {
  return createRecipient({ name, type: 'cluster', created: CREATED });
}

export function testGroup(name: string, creator: TestRecipient, members: readonly TestRecipient[]): TestRecipient {
  const { identitySeed } = creator;
  const made = createGroup({ name, created: CREATED, members: members.map(sealingKey), identitySeed });
  return { ...made, identitySeed };
}

/** Path in the repository → text. */
export function recipientFiles(...recipients: readonly TestRecipient[]): Record<string, string> {
  return Object.fromEntries(recipients.map(({ recipient }) => [recipient.file, renderRecipient(recipient)]));
}

export interface WantedManifest {
  namespace: string;
  name: string;
  to: readonly TestRecipient[];
  data: Record<string, string>;
  /** Workload names; absent: `*`. */
  readers?: readonly string[];
  scope?: 'strict' | 'namespace' | 'cluster';
  namespaces?: readonly string[];
  deletionPolicy?: 'Retain';
}

/** One document in JSON, which is YAML as well. */
export function sealedManifest(wanted: WantedManifest): string {
  const { namespace, name, to, scope = 'strict' } = wanted;
  const dataKey = newDataKey();
  const binding = { scope, namespace, name };
  const data = Object.entries(wanted.data).map(([entry, value]) => [
    entry,
    sealValue(Buffer.from(value), dataKey, binding, entry),
  ]);
  const stanzas = to.map((one) => [one.recipient.name, sealStanza(dataKey, sealingKey(one), binding)]);
  return `${JSON.stringify(
    {
      apiVersion: 'coffer.dev/v1',
      kind: 'EncryptedSecret',
      metadata: { name, namespace },
      spec: {
        recipients: to.map(({ recipient }) => recipient.name),
        scope,
        ...(wanted.namespaces === undefined ? {} : { namespaces: wanted.namespaces }),
        readers: (wanted.readers ?? ['*']).map((reader) => ({ name: reader })),
        ...(wanted.deletionPolicy === undefined ? {} : { deletionPolicy: wanted.deletionPolicy }),
        data: Object.fromEntries(data),
        keys: { [dataKey.id]: Object.fromEntries(stanzas) },
      },
    },
    null,
    2,
  )}\n`;
}

export function sealingKey({ recipient }: TestRecipient): { recipient: string; kid: string; publicKey: Uint8Array } {
  const publicKey = recipient.keys[0]?.publicKey;
  if (publicKey === undefined) throw new Error('a recipient without a key');
  return { recipient: recipient.name, kid: keyId(publicKey), publicKey };
}
