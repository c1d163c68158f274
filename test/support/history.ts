/** A repository of a few files, what happens to it, and what an operator proposes for it: for tests of proposals. */

import { systemRandom } from '../../core/crypto/random.ts';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import { renderManifest } from '../../core/format/edit/new-manifest.ts';
import { setEntry, unsetEntry } from '../../core/format/edit/seal.ts';
import type { ManifestFile } from '../../core/format/manifest/manifest.ts';
import { manifestProblems } from '../../core/format/manifest/read-manifest.ts';
import { newDataKey } from '../../core/format/sealed/data-key.ts';
import { type SealingKey, sealStanza } from '../../core/format/sealed/stanza.ts';
import { sealValue } from '../../core/format/sealed/value.ts';
import { createGroup, createKey, createRecipient, recipientFile } from '../../core/keys/create.ts';
import { withNewKey } from '../../core/keys/new-key.ts';
import { activeKey, type Recipient, type RecipientKey, readRecipient } from '../../core/keys/recipient.ts';
import { renderRecipient } from '../../core/keys/recipient-text.ts';
import { openManifest } from '../../core/opening/open-manifest.ts';
import { type Opener, openerFor } from '../../core/opening/opener.ts';
import { applyProposal, type Proposal, type ProposedValue } from '../../core/rotation/proposal.ts';
import { newStanzas, rewrap } from '../../core/rotation/rewrap.ts';
import { Files, manifestsOf } from './files-of-commit.ts';
import fc from './properties.ts';

const COMMIT = '0'.repeat(40);
const PRODUCTION = recipientFile('production');
const STANZA_OF_PRODUCTION = /^( *production: "?)[0-9a-f]{32}:[A-Za-z0-9_-]{1558}/gm;

const KINDS = [
  'add',
  'set',
  'unset',
  'remove',
  'move',
  'comment',
  'recipient',
  'leave',
  'edit recipient',
  'revoke',
  'newer key',
  'some of it',
  'break',
] as const;

export interface Happening {
  kind: (typeof KINDS)[number];
  /** Which of the files that it can happen to. */
  which: number;
}

/** Each kind by itself, so that no run leaves one out. */
export const examples: [Happening[]][] = KINDS.flatMap((kind) =>
  [0, 1].map((which): [Happening[]] => [[{ kind, which }]]),
);

export const happenings: fc.Arbitrary<Happening> = fc.record({ kind: fc.constantFrom(...KINDS), which: fc.nat(9) });

/** Production with a first key, a new one of its operator, and the files that the new one is proposed for. */
export class History {
  readonly firstKey: RecipientKey;
  readonly newKey: RecipientKey;
  readonly #files: Files;
  readonly #staging: Recipient;
  readonly #identitySeed: Buffer;
  readonly #secretKeys = new Map<string, { kid: string; seed: Buffer }>();
  readonly #opener: Opener;

  private constructor(made: ReturnType<typeof createRecipient>) {
    const [first] = made.recipient.keys;
    if (first === undefined) throw new Error('a recipient without a key');
    const { key, seed } = createKey({
      name: 'production',
      created: '2026-11-22T09:00:00Z',
      identitySeed: made.identitySeed,
      random: systemRandom,
    });
    this.firstKey = first;
    this.newKey = key;
    this.#identitySeed = made.identitySeed;
    this.#staging = createRecipient({ name: 'staging', type: 'cluster', created: first.created }).recipient;
    const keys = this.#secretKeys;
    keys.set(first.kid, { kid: first.kid, seed: made.seed }).set(key.kid, { kid: key.kid, seed });
    const nobody = { recipients: new Map(), problems: [] };
    this.#opener = openerFor(nobody, { keys, problems: [], wipe: () => undefined }, { as: 'production' });
    this.#files = this.#begun(made.recipient);
  }

  static async begin(): Promise<History> {
    await sodiumReady();
    return new History(createRecipient({ name: 'production', type: 'cluster', created: '2026-11-21T09:00:00Z' }));
  }

  #begun(production: Recipient): Files {
    const to = [sealingKey('production', this.firstKey), keyOf(this.#staging)];
    const [created, identitySeed] = [this.firstKey.created, this.#identitySeed];
    const group = createGroup({ name: 'team', created, members: to, identitySeed }).recipient;
    const two = [manifest('two', to.slice(0, 1)), manifest('three', to.slice(0, 1))].join('---\n');
    return new Files(
      new Map([
        ['one.yaml', manifest('one', to.slice(0, 1))],
        ['two.yaml', two],
        ['four.yaml', manifest('four', to)],
        [PRODUCTION, renderRecipient(production).replace('  keys:\n', '  keys:\n    # made by Jo\n')],
        [recipientFile('staging'), renderRecipient(this.#staging)],
        [recipientFile('team'), renderRecipient(group)],
      ]),
    );
  }

  repository(): Files {
    return this.#files.copy();
  }

  /** What the operator of production proposes for these files, all of which are sealed to its first key. */
  rewrapped(files: Files): Proposal {
    const wanted = withNewKey(recipientIn(files), this.newKey, { formerStatus: 'retired' });
    const stanzas = files.manifests.flatMap((path) =>
      manifestsOf(files, path).flatMap((one) => [...newStanzas(one, this.#opener, [this.#newSealingKey])]),
    );
    const recipient = { name: 'production', text: renderRecipient(wanted) };
    return { ...this.#proposal('rewrap-production'), recipient, stanzas: new Map(stanzas) };
  }

  /** A new value of `password`, with the former one beside it, for all recipients of the manifest. */
  rotated(files: Files, path: string): Proposal {
    const [one] = manifestsOf(files, path);
    if (one === undefined) throw new Error('no such manifest');
    const dataKey = newDataKey();
    const { namespace, name, binding } = one;
    const stanza = sealStanza(dataKey, sealingKey('production', this.firstKey), binding);
    const former = one.entries.get('password');
    const was = former?.kind === 'sealed' ? { former: former.text } : {};
    const value = (entry: string, text: string): ProposedValue => ({
      ...{ path, namespace, name, entry },
      text: sealValue(Buffer.from(text), dataKey, binding, entry),
    });
    const values = [{ ...value('password', 'made'), ...was }, value('password.previous', 'value')];
    const stanzas = new Map([[dataKey.id, new Map([['production', stanza]])]]);
    return { ...this.#proposal('values-production'), values, stanzas };
  }

  #proposal(id: string): Proposal {
    return {
      id,
      cluster: 'production',
      commit: COMMIT,
      stanzas: new Map(),
      values: [],
      fulfils: [],
      refused: new Map(),
    };
  }

  /** What people and others do to the files meanwhile. */
  async happen(files: Files, { kind, which }: Happening, proposal: Proposal): Promise<void> {
    const paths = files.manifests;
    const path = paths[which % paths.length];
    if (path === undefined) return;
    const [text, own] = [files.text(path), files.text(PRODUCTION)];
    const change = (edit: (file: ManifestFile) => string) => {
      const file = readable(files, path);
      if (file !== undefined) files.set(path, edit(file));
    };
    switch (kind) {
      case 'add':
        files.set(`new-${which}.yaml`, manifest(`new-${which}`, this.#active(files)));
        return;
      case 'set':
        change((file) => setEntry(file, 0, 'password', Buffer.from('set'), this.#keysFor(files, file)));
        return;
      case 'unset':
        change((file) => (file.manifests[0]?.entries.has('user') ? unsetEntry(file, 0, 'user') : file.text));
        return;
      case 'remove':
        files.set(path, undefined);
        return;
      case 'move':
        files.set(path, undefined);
        files.set(`moved/${path}`, text);
        return;
      case 'comment':
        files.set(path, `# note ${which}\n${text}`);
        return;
      case 'recipient':
        change((file) => rewrap(file, 0, this.#opener, [keyOf(this.#staging)], []));
        return;
      case 'leave':
        change((file) => (lists(file, 'staging') ? rewrap(file, 0, this.#opener, [], ['production']) : file.text));
        return;
      case 'edit recipient':
        files.set(
          PRODUCTION,
          `${own.replace(/ {2}rotation:.*\n/, '')}  rotation: {every: ${which + 1}d} # as agreed\n`,
        );
        return;
      case 'revoke':
        files.set(PRODUCTION, own.replaceAll(/status: (?:active|retired)/g, 'status: revoked'));
        return;
      case 'newer key':
        this.#newerKey(files);
        return;
      case 'some of it': {
        const all = [...(await applyProposal(proposal, files))];
        files.take(new Map(all.filter((_, index) => index % 3 !== which % 3)));
        return;
      }
      case 'break':
        files.set(path, text.replace('spec:', 'spec: {'));
    }
  }

  #newerKey(files: Files): void {
    const { key, seed } = createKey({
      ...{ name: 'production', created: '2026-11-23T09:00:00Z', identitySeed: this.#identitySeed },
      random: systemRandom,
    });
    this.#secretKeys.set(key.kid, { kid: key.kid, seed });
    const before = recipientIn(files);
    if ((before.keys[0]?.created ?? '') >= key.created) return;
    files.set(PRODUCTION, renderRecipient(withNewKey(before, key, { formerStatus: 'retired' })));
  }

  get #newSealingKey(): SealingKey {
    return sealingKey('production', this.newKey);
  }

  #active(files: Files): SealingKey[] {
    const key = activeKey(recipientIn(files));
    return key === undefined ? [keyOf(this.#staging)] : [sealingKey('production', key)];
  }

  /** Without an active key nobody could set a value, except that this one did so before. */
  #keysFor(files: Files, file: ManifestFile): SealingKey[] {
    const key = activeKey(recipientIn(files)) ?? this.firstKey;
    return (file.manifests[0]?.recipients ?? []).map((name) =>
      name === 'production' ? sealingKey(name, key) : keyOf(this.#staging),
    );
  }

  /** The text with what a rewrap for production may change left out. */
  withoutStanzas(text: string): string {
    return text.replace(STANZA_OF_PRODUCTION, '$1');
  }

  /** Every line of production's file but statuses and keys that came: none may be lost. */
  wordsOfRecipient(files: Files): string[] {
    const kids = [`id: "${this.newKey.kid}"`, this.newKey.endorsement, this.newKey.created, 'status: '];
    const publicKey = renderRecipient({ ...recipientIn(files), keys: [this.newKey] }).match(/coffer-public-1-\S+/)?.[0];
    return files
      .text(PRODUCTION)
      .split('\n')
      .filter((line) => ![...kids, publicKey ?? 'none'].some((part) => line.includes(part)));
  }

  /** What production opens of a file: entry → value. */
  open(files: Files, path: string): Record<string, string> {
    const found: Record<string, string> = {};
    for (const one of manifestsOf(files, path)) {
      if (!one.recipients.includes('production')) continue;
      for (const [entry, value] of openManifest(one, this.#opener).values) found[entry] = value.toString();
    }
    return found;
  }
}

function manifest(name: string, to: readonly SealingKey[]): string {
  return renderManifest(
    {
      ...{ namespace: 'payments', name, readers: [{ name: '*' }] },
      recipients: to.map(({ recipient }) => recipient),
      entries: new Map([
        ['password', Buffer.from('value')],
        ['user', Buffer.from(name)],
      ]),
    },
    to,
  );
}

function readable(files: Files, path: string): ManifestFile | undefined {
  const { file, problems } = manifestProblems(files.bytes(path), path);
  return problems.length === 0 ? file : undefined;
}

function recipientIn(files: Files): Recipient {
  return readRecipient(files.bytes(PRODUCTION), PRODUCTION);
}

function lists(file: ManifestFile, name: string): boolean {
  return file.manifests[0]?.recipients.includes(name) ?? false;
}

function keyOf(recipient: Recipient): SealingKey {
  const [key] = recipient.keys;
  if (key === undefined) throw new Error('a recipient without a key');
  return sealingKey(recipient.name, key);
}

function sealingKey(recipient: string, { kid, publicKey }: RecipientKey): SealingKey {
  return { recipient, kid, publicKey };
}
