import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ManagedField } from '../../kubernetes/resource.ts';
import { givenUp, isOurs, isSolelyOurs, takenOver } from './field-ownership.ts';

const apply = (manager: string, fieldsV1: Record<string, unknown>): ManagedField => ({
  manager,
  operation: 'Apply',
  apiVersion: 'v1',
  fieldsType: 'FieldsV1',
  fieldsV1,
});
const update = (manager: string, fieldsV1: Record<string, unknown>): ManagedField => ({
  ...apply(manager, fieldsV1),
  operation: 'Update',
});

const MARKED = { 'f:metadata': { 'f:labels': { 'f:coffer.dev/projected': {} } } };
const OURS = apply('coffer-operator', { 'f:data': { 'f:a': {} }, ...MARKED });

describe('a Secret is ours', () => {
  for (const [what, managedFields, expected] of [
    ['when our apply set a mark of it', [OURS], true],
    ['when others have written everything but a mark', [OURS, update('kubectl', { 'f:data': { 'f:b': {} } })], true],
    ['not by a mark that others set', [update('kubectl', MARKED)], false],
    ['not by a mark that an update under our name set', [update('coffer-operator', MARKED)], false],
    ['not by an apply to a part of it', [{ ...OURS, subresource: 'status' }], false],
    ['not without managed fields', [], false],
  ] as const) {
    test(what, () => assert.equal(isOurs({ name: 'x', managedFields: [...managedFields] }), expected));
  }
});

test('it is solely ours when nobody else manages entries and no foreign owner takes it along', () => {
  const labels = update('kubectl', { 'f:metadata': { 'f:labels': { 'f:theirs': {} } } });
  assert.ok(isSolelyOurs({ name: 'x', managedFields: [OURS, labels] }));
  assert.ok(!isSolelyOurs({ name: 'x', managedFields: [OURS, update('kubectl', { 'f:data': { 'f:b': {} } })] }));
  const owner = { apiVersion: 'bitnami.com/v1alpha1', kind: 'SealedSecret', name: 'x', uid: 'u' };
  assert.ok(!isSolelyOurs({ name: 'x', managedFields: [OURS], ownerReferences: [owner] }));
  const object = { ...owner, apiVersion: 'coffer.dev/v1', kind: 'EncryptedSecret' };
  assert.ok(isSolelyOurs({ name: 'x', managedFields: [OURS], ownerReferences: [object] }));
});

test('taking over leaves to others what is not ours to remove, and drops who has nothing left', () => {
  const owner = { apiVersion: 'bitnami.com/v1alpha1', kind: 'SealedSecret', name: 'x', uid: 'u1' };
  const managedFields = [
    update('controller', {
      'f:data': { '.': {}, 'f:a': {}, 'f:b': {} },
      'f:metadata': { 'f:ownerReferences': { '.': {}, 'k:{"uid":"u1"}': {} } },
      'f:type': {},
    }),
    update('kubectl', {
      'f:metadata': { 'f:annotations': { 'f:coffer.dev/adopt': {}, 'f:theirs': {} }, 'f:labels': { 'f:theirs': {} } },
    }),
  ];
  const metadata = {
    name: 'x',
    managedFields,
    ownerReferences: [owner],
    annotations: { 'coffer.dev/adopt': 'true', theirs: '' },
  };
  const taken = takenOver(
    { metadata, data: { a: '', b: '' } },
    { annotations: ['coffer.dev/adopt', 'not.there'], owners: true },
  );
  assert.deepEqual(taken, [
    update('kubectl', { 'f:metadata': { 'f:annotations': { 'f:theirs': {} }, 'f:labels': { 'f:theirs': {} } } }),
    apply('coffer-operator', {
      'f:data': { '.': {}, 'f:a': {}, 'f:b': {} },
      'f:type': {},
      'f:metadata': {
        'f:annotations': { '.': {}, 'f:coffer.dev/adopt': {} },
        'f:ownerReferences': { '.': {}, 'k:{"uid":"u1"}': {} },
      },
    }),
  ]);
});

test('taking over what is partly ours keeps the time and the rest of our own entry', () => {
  const own = { ...OURS, time: '2026-11-21T09:00:00Z' };
  const metadata = { name: 'x', managedFields: [own, update('kubectl', { 'f:data': { 'f:b': {} } })] };
  const taken = takenOver({ metadata, data: { a: '', b: '' } }, { annotations: [], owners: false });
  assert.equal(taken.length, 1);
  assert.equal(taken[0]?.time, own.time);
  assert.deepEqual(taken[0]?.fieldsV1?.['f:data'], { 'f:a': {}, '.': {}, 'f:b': {} });
  assert.ok(isOurs({ name: 'x', managedFields: taken }));
});

test('what is given up stays managed by a name that nobody has, so that the server keeps the list', () => {
  const [entry] = givenUp({ name: 'x', managedFields: [OURS] });
  assert.deepEqual(entry, update('coffer-operator-retained', { 'f:data': { 'f:a': {} } }));
});
