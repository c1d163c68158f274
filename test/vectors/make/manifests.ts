import { newDataKey } from '../../../core/format/sealed/data-key.ts';
import { sealStanza } from '../../../core/format/sealed/stanza.ts';
import { sealValue } from '../../../core/format/sealed/value.ts';
import { renderRecipient } from '../../../core/keys/recipient-text.ts';
import { opener, PASSWORD, rendered, USERNAME, VALUES } from './base-manifest.ts';
import type { Cast } from './cast.ts';
import { manifestRefusals } from './manifest-refusals.ts';
import { randomFrom } from './random.ts';

export function manifests(players: Cast): object {
  return { mustOpen: opening(players), mustRefuse: manifestRefusals(players) };
}

function opening(players: Cast): object[] {
  const { production, staging, alice, team } = players;
  const both = [production.sealing, staging.sealing];
  const good = rendered({}, both, 'good');
  const us = { opener: opener(production), values: VALUES, pending: [] };
  const template = `  template:\n    data:\n      URL: "postgres://\${username:uri}:\${password:uri}@db"\n`;
  const other = newDataKey(randomFrom('a data key that nothing names'));
  return [
    { why: 'as coffer writes it', file: 'payments-db.yaml', text: good, ...us },
    { why: 'for the other recipient', file: 'payments-db.yaml', text: good, ...us, opener: opener(staging) },
    { why: 'in JSON', file: 'payments-db.json', text: json(players), ...us },
    { why: 'with the line ends of Windows', file: 'payments-db.yaml', text: good.replaceAll('\n', '\r\n'), ...us },
    { why: 'without a final newline', file: 'payments-db.yaml', text: good.slice(0, -1), ...us },
    {
      why: 'beside documents of others, which may do what coffer may not',
      file: 'payments.yaml',
      text: `apiVersion: v1\nkind: ConfigMap\nmetadata: &m {name: x}\ndata: {a: !t 1, b: *m}\n---\n${good}---\n# nothing\n`,
      ...us,
    },
    {
      why: 'scope namespace, under another name',
      file: 'a.yaml',
      text: rendered({ scope: 'namespace' }, both, 'namespace').replace('name: payments-db', 'name: renamed'),
      ...us,
    },
    {
      why: 'scope cluster, in another namespace',
      file: 'a.yaml',
      text: rendered({ scope: 'cluster', namespaces: ['payments', 'team-*'] }, both, 'cluster').replace(
        'namespace: payments',
        'namespace: shared',
      ),
      ...us,
    },
    {
      why: 'with a template',
      file: 'a.yaml',
      text: good.replace('  keys:\n', `${template}  keys:\n`),
      ...us,
      values: { ...VALUES, URL: Buffer.from('postgres://ada:correct%20horse@db').toString('hex') },
    },
    {
      why: 'with a data key that no value names: it is ignored, and so is who it is sealed to',
      file: 'a.yaml',
      text: `${good}    ${other.id}:\n      nobody: "${sealStanza(other, production.sealing, binding('nowhere'), randomFrom('unnamed'))}"\n`,
      ...us,
    },
    {
      why: "with another recipient's stanza missing: it is pending",
      file: 'a.yaml',
      text: good.replace(/ {6}staging: .*\n/, ''),
      ...us,
      pending: ['staging'],
    },
    {
      why: 'with entries, keys and stanzas in another order, and in flow style',
      file: 'a.yaml',
      text: flow(json(players)),
      ...us,
    },
    {
      why: 'for a member of a group, by the seed in the keyring',
      file: 'a.yaml',
      text: rendered({ recipients: ['team'] }, [team.sealing], 'team'),
      opener: { seed: alice.seed.toString('hex') },
      keyring: [production, alice, team].map(({ recipient }) => ({
        file: recipient.file,
        text: renderRecipient(recipient),
      })),
      values: VALUES,
      pending: [],
    },
  ];
}

function binding(name: string) {
  return { scope: 'strict', namespace: 'payments', name } as const;
}

/** Two runs: each value under its own data key. */
function json({ production, staging }: Cast): string {
  const here = binding('payments-db');
  const [one, two] = [newDataKey(randomFrom('json one')), newDataKey(randomFrom('json two'))];
  const stanzas = (key: typeof one, label: string) => ({
    staging: sealStanza(key, staging.sealing, here, randomFrom(`json ${label} staging`)),
    production: sealStanza(key, production.sealing, here, randomFrom(`json ${label} production`)),
  });
  const manifest = {
    apiVersion: 'coffer.dev/v1',
    kind: 'EncryptedSecret',
    metadata: { name: 'payments-db', namespace: 'payments', labels: { team: 'payments' } },
    spec: {
      recipients: ['production', 'staging'],
      readers: [{ name: 'payments-api', entries: ['password'] }, { name: '*' }],
      keys: { [two.id]: stanzas(two, 'two'), [one.id]: stanzas(one, 'one') },
      data: {
        username: sealValue(USERNAME, two, here, 'username', randomFrom('json username')),
        password: sealValue(PASSWORD, one, here, 'password', randomFrom('json password')),
      },
    },
    status: { observedGeneration: 1 },
  };
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

/** As YAML in flow style: a comment before the brace makes it so. */
function flow(text: string): string {
  return `# flow\n${text}`;
}
