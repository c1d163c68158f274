import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ConfigChange, compareConfigs } from './compare-configs.ts';
import type { RepositoryConfig } from './repository.ts';

const BARE: RepositoryConfig = { repository: 'one', rules: [], include: [], ignore: [], requiredRecipients: [] };
const APPS = { path: 'apps/**', recipients: ['ada'] };
const ALL = { path: '**', recipients: ['bob'] };

const CASES: [string, Partial<RepositoryConfig>, Partial<RepositoryConfig>, ConfigChange[]][] = [
  ['nothing', { rules: [APPS] }, { rules: [APPS] }, []],
  [
    'the recipients of a rule',
    { rules: [APPS] },
    { rules: [{ ...APPS, recipients: ['ada', 'bob'] }] },
    [{ what: 'rule', subject: 'apps/**', change: 'changed', detail: { before: 'ada', after: 'ada, bob' } }],
  ],
  [
    'the order of rules, as the first that matches counts',
    { rules: [APPS, ALL] },
    { rules: [ALL, APPS] },
    [
      {
        what: 'order of rules',
        subject: '',
        change: 'changed',
        detail: { before: 'apps/**, **', after: '**, apps/**' },
      },
    ],
  ],
  [
    'a required recipient',
    { requiredRecipients: ['ada', 'bob'] },
    { requiredRecipients: ['bob'] },
    [{ what: 'required recipient', subject: 'ada', change: 'removed' }],
  ],
  [
    'where manifests are looked for',
    { include: ['a/'] },
    { ignore: ['b/'] },
    [
      { what: 'include', subject: 'a/', change: 'removed' },
      { what: 'ignore', subject: 'b/', change: 'added' },
    ],
  ],
  [
    'the rotating cluster',
    {},
    { rotatingCluster: 'production' },
    [{ what: 'rotating cluster', subject: '', change: 'added', detail: { after: 'production' } }],
  ],
];

describe('what changed of a configuration', () => {
  for (const [title, before, after, changes] of CASES) {
    test(`is ${title}`, () => {
      assert.deepEqual(compareConfigs({ ...BARE, ...before }, { ...BARE, ...after }), changes);
    });
  }

  test('is, with a warning, the id to which pins belong', () => {
    const [change] = compareConfigs(BARE, { ...BARE, repository: 'two' });
    assert.deepEqual(change?.detail, { before: 'one', after: 'two' });
    assert.match(change?.warning ?? '', /pins/);
  });

  test('is itself when it comes or goes', () => {
    assert.deepEqual(compareConfigs(BARE, undefined), [{ what: 'configuration', subject: '', change: 'removed' }]);
    assert.equal(compareConfigs(undefined, BARE)[0]?.change, 'added');
  });
});
