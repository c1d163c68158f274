import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeConfigRecipients } from './edit-config.ts';

const CONFIG = `apiVersion: coffer.dev/v1
kind: Config
metadata: {name: coffer}
spec:
  repository: "AAAAAAAAAAAAAAAAAAAAAA" # never changes
  rules:
    - {path: "a/**", recipients: [production, recovery]} # both
    - path: "b/**"
      recipients:
        - staging # alone
  requiredRecipients: [recovery]
`;

const change = (from: (names: readonly string[]) => readonly string[]) =>
  changeConfigRecipients(Buffer.from(CONFIG), '.coffer/config.yaml', from);

test('recipients come and go in every list that names them, and no other byte changes', () => {
  const added = change((names) => (names.includes('production') ? [...names, 'new'] : names));
  assert.equal(added, CONFIG.replace('[production, recovery]', '[production, recovery, new]'));
  const beside = change((names) => (names.includes('staging') ? [...names, 'new'] : names));
  assert.equal(beside, CONFIG.replace('- staging # alone\n', '- staging # alone\n        - new\n'));
  assert.equal(
    change((names) => names.filter((name) => name !== 'production')),
    CONFIG.replace('[production, recovery]', '[recovery]'),
  );
  assert.equal(
    change((names) => names),
    CONFIG,
  );
});

test('a list that would name nobody is refused, with its line', () => {
  const without = (gone: string) => () => change((names) => names.filter((name) => name !== gone));
  assert.throws(without('staging'), { code: 'CONFIG_RULE_EMPTY', data: { file: '.coffer/config.yaml', line: 9 } });
  assert.throws(without('recovery'), { code: 'CONFIG_RULE_EMPTY' });
});
