import assert from 'node:assert/strict';
import { test } from 'node:test';
import { samples } from '../../../test/kubernetes/scene/reference-samples.ts';
import { REFERENCE_FIELDS, secretReferences } from './pod-references.ts';

test('every reference of the table is found, with the entries that it is limited to', () => {
  const all = samples('db', 'PASSWORD');
  assert.deepEqual(new Set(all.map(({ at }) => at)), new Set(REFERENCE_FIELDS.map(({ at }) => at)));
  for (const { at, isLimited, spec } of all) {
    const [reference, ...others] = secretReferences(spec);
    assert.deepEqual(others, [], at);
    assert.equal(reference?.secret, 'db', at);
    assert.deepEqual(reference?.entries, isLimited ? ['PASSWORD'] : [], at);
  }
});

test('what refers to no Secret, or to one without a name, is no reference; a pod from elsewhere does no harm', () => {
  const nothing = [
    {},
    { containers: null, volumes: 7 },
    { containers: [null, 'x', { env: [{ name: 'A', value: 'b' }], envFrom: [{ configMapRef: { name: 'db' } }] }] },
    {
      volumes: [
        { name: 'v', configMap: { name: 'db' } },
        { name: 'w', projected: { sources: [{}] } },
      ],
    },
    { imagePullSecrets: [{}, { name: '' }] },
  ];
  for (const spec of nothing) assert.deepEqual(secretReferences(spec), []);
});

test('an optional reference is known as one', () => {
  const ref = (optional?: boolean) => ({ containers: [{ envFrom: [{ secretRef: { name: 'db', optional } }] }] });
  assert.deepEqual(
    [ref(true), ref(false), ref()].map((spec) => secretReferences(spec)[0]?.isOptional),
    [true, false, false],
  );
});
