import type { History } from './history.ts';
import { dataKeyId, manifest, sealed, stanza } from './manifests.ts';

/** Who may what: ./policy.ts. `undefined` signs nothing. */
export type Step = Parameters<History['chain']>[1];

/** What is there before; nobody need have signed it. */
export const BASE = {
  'db.yaml': manifest(),
  'kept.yaml': manifest({ name: 'kept', more: ['deletionPolicy: Retain'] }),
  'notes.md': 'notes',
  'link.yaml': { link: 'db.yaml' },
  'team/.keep': '',
  '.coffer/config.yaml': 'rules: []\n',
  '.coffer/recipients/production.yaml': 'one\n',
};

export const V1 = { password: sealed('k1', 'v1') };
export const V2 = { password: sealed('k2', 'v2') };
export const EVIL = { api: ['password'], evil: ['password'] };
const RETAINED = manifest({ more: ['deletionPolicy: Retain'] });
export const NO = 'TRUST_NOT_GRANTED';

/** What is refused of these changes. */
export const CHANGES: [promise: string, steps: Step[], refused: string[]][] = [
  ['a value by who may', [['val', { 'db.yaml': manifest({ data: V2 }) }]], []],
  ['a value by who may not', [['bob', { 'db.yaml': manifest({ data: V2 }) }]], [`db.yaml values ${NO}`]],
  ['a value by nobody', [[undefined, { 'db.yaml': manifest({ data: V2 }) }]], ['db.yaml signature TRUST_UNSIGNED']],
  ['a comment by any signer', [['bob', { 'db.yaml': `# why\n${manifest()}` }]], []],
  ['a comment by nobody', [[undefined, { 'db.yaml': `# why\n${manifest()}` }]], ['db.yaml signature TRUST_UNSIGNED']],
  ['a file that is no manifest, by any signer', [['bob', { 'notes.md': 'other' }]], []],
  ['a file that is no manifest, by nobody', [[undefined, { 'notes.md': '' }]], ['notes.md signature TRUST_UNSIGNED']],
  ['nothing, by nobody', [[undefined, {}]], []],
  ['a reader', [['val', { 'db.yaml': manifest({ readers: EVIL }) }]], [`db.yaml readers ${NO}`]],
  ['an entry of a reader', [['val', { 'db.yaml': manifest({ readers: { api: ['x'] } }) }]], [`db.yaml readers ${NO}`]],
  ['a recipient', [['val', { 'db.yaml': manifest({ recipients: ['staging'] }) }]], [`db.yaml recipients ${NO}`]],
  [
    'the order of recipients is no change',
    [
      ['alice', { 'db.yaml': manifest({ recipients: ['production', 'staging'] }) }],
      ['val', { 'db.yaml': manifest({ recipients: ['staging', 'production'] }) }],
    ],
    [],
  ],
  ['the scope', [['val', { 'db.yaml': manifest({ more: ['scope: cluster'] }) }]], [`db.yaml namespaces ${NO}`]],
  ['the type', [['val', { 'db.yaml': manifest({ more: ['type: x/y'] }) }]], [`db.yaml type ${NO}`]],
  ['the projection', [['val', { 'db.yaml': manifest({ more: ['projection: Volume'] }) }]], [`db.yaml type ${NO}`]],
  ['the deletionPolicy', [['val', { 'db.yaml': RETAINED }]], [`db.yaml deletionPolicy ${NO}`]],
  [
    'what is usual, said or not',
    [['val', { 'db.yaml': manifest({ more: ['type: Opaque', 'deletionPolicy: Delete'] }) }]],
    [],
  ],
  [
    'a rotation',
    [['val', { 'db.yaml': manifest({ more: ['rotation: {password: {}}'] }) }]],
    [`db.yaml rotation ${NO}`],
  ],
  [
    'a template',
    [['val', { 'db.yaml': manifest({ more: ['template: {data: {url: "x"}}'] }) }]],
    [`db.yaml template ${NO}`],
  ],
  [
    'a label of a template',
    [['val', { 'db.yaml': manifest({ more: ['template: {metadata: {labels: {a: b}}}'] }) }]],
    [`db.yaml template ${NO}`],
  ],
  [
    'a stanza, by who may change values',
    [['val', { 'db.yaml': manifest({ keys: { [dataKeyId('k1')]: { staging: stanza('aa') } } }) }]],
    [],
  ],
  [
    'a field that is not known',
    [['val', { 'db.yaml': manifest({ more: ['"readers[api]": x'] }) }]],
    [`db.yaml type ${NO}`],
  ],
  ['a manifest that goes', [['val', { 'db.yaml': null }]], [`db.yaml removal ${NO}`]],
  ['a manifest that goes, by who may', [['alice', { 'db.yaml': null }]], []],
  ['a manifest that becomes a link', [['val', { 'db.yaml': { link: 'notes.md' } }]], [`db.yaml removal ${NO}`]],
  ['a link that becomes a manifest', [['bob', { 'link.yaml': manifest({ name: 'x' }) }]], created('link.yaml')],
  [
    'a manifest that cannot be read any more',
    [['val', { 'db.yaml': `${manifest()}  bad: [` }]],
    [`db.yaml removal ${NO}`],
  ],
  [
    'a manifest that was broken and is mended, with a new value',
    [
      ['val', { 'db.yaml': `${manifest()}  bad: [` }],
      ['val', { 'db.yaml': manifest({ data: V2 }) }],
    ],
    [],
  ],
  [
    'a manifest that comes back from being broken with another reader',
    [
      ['alice', { 'db.yaml': `${manifest()}  bad: [` }],
      ['val', { 'db.yaml': manifest({ readers: EVIL }) }],
    ],
    [
      `db.yaml readers ${NO}`,
      `db.yaml recipients ${NO}`,
      ...['deletionPolicy', 'namespaces', 'type'].map((s) => `db.yaml ${s} ${NO}`),
    ].sort(),
  ],
  ['a new manifest', [['bob', { 'new.yaml': manifest({ name: 'new' }) }]], created('new.yaml')],
  ['a new manifest, by who may', [['alice', { 'new.yaml': manifest({ name: 'new' }) }]], []],
  [
    'a manifest that is new and retained, by who may not say so',
    [['sam', { 'new.yaml': manifest({ name: 'new', more: ['deletionPolicy: Retain'] }) }]],
    ['new.yaml signature TRUST_UNSIGNED'],
  ],
  [
    'a second document',
    [['val', { 'db.yaml': `${manifest()}---\n${manifest({ name: 'two' })}` }]],
    created('db.yaml', ['values']),
  ],
  [
    'a second document of the same name',
    [['val', { 'db.yaml': `${manifest()}---\n${manifest({ readers: EVIL })}` }]],
    created('db.yaml', ['values']),
  ],
  [
    'documents in another order',
    [
      ['alice', { 'db.yaml': `${manifest()}---\n${manifest({ name: 'two' })}` }],
      ['bob', { 'db.yaml': `${manifest({ name: 'two' })}---\n${manifest()}` }],
    ],
    [],
  ],
  [
    'another namespace',
    [['val', { 'db.yaml': manifest({ namespace: 'shop' }) }]],
    [...created('db.yaml', ['values']), `db.yaml removal ${NO}`].sort(),
  ],
  [
    'a manifest that moves to where the author has rights',
    [['val', { 'db.yaml': null, 'team/db.yaml': manifest() }]],
    [`db.yaml removal ${NO}`, ...created('team/db.yaml', ['values'])].sort(),
  ],
  ['a manifest in a file that nobody reads as one', [['bob', { 'x.txt': manifest({ name: 'x' }) }]], created('x.txt')],
  [
    'the keyring',
    [['alice', { '.coffer/recipients/production.yaml': 'two\n' }]],
    [`.coffer/recipients/production.yaml keyring ${NO}`],
  ],
  ['the keyring, by who may', [['carol', { '.coffer/recipients/production.yaml': 'two\n' }]], []],
  [
    'a file of the keyring that goes',
    [['alice', { '.coffer/recipients/production.yaml': null }]],
    [`.coffer/recipients/production.yaml keyring ${NO}`],
  ],
  [
    'the keyring by way of a link',
    [['alice', { '.coffer/recipients': { link: '../team' }, '.coffer/recipients/production.yaml': null }]],
    [`.coffer/recipients rules ${NO}`, `.coffer/recipients/production.yaml keyring ${NO}`],
  ],
  ['the rules', [['alice', { '.coffer/config.yaml': 'rules: [{}]\n' }]], [`.coffer/config.yaml rules ${NO}`]],
  ['a request', [['alice', { '.coffer/requests/join-1.yaml': 'x' }]], [`.coffer/requests/join-1.yaml requests ${NO}`]],
  [
    'an endorsement',
    [['alice', { '.coffer/requests/endorse-1.yaml': 'x' }]],
    [`.coffer/requests/endorse-1.yaml endorse ${NO}`],
  ],
  ...[
    '.Coffer/config.yaml',
    '.COFFER/recipients/a.yaml',
    '.cof\u200cfer/x',
    'COFFER~1/x',
    '.coffer./x',
    '.co\ufb00er/x',
    'team/.coffer/x',
    '.coffer/other',
  ].map((path): [string, Step[], string[]] => [
    `what can be taken for .coffer: ${JSON.stringify(path)}`,
    [['alice', { [path]: 'x' }]],
    [`${path} rules ${NO}`],
  ]),
];

/** Every right that it takes to make a manifest of ./manifests.ts, but these. */
function created(path: string, but: readonly string[] = []): string[] {
  return ['readers', 'recipients', 'values']
    .filter((right) => !but.includes(right))
    .map((right) => `${path} ${right} ${NO}`);
}
