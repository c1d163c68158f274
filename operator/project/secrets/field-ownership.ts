import { objectOf } from '../../../core/json.ts';
import { FIELD_MANAGER, type ManagedField, type ObjectMeta } from '../../kubernetes/resource.ts';
import { OWN_ANNOTATIONS, PROJECTED_LABEL } from './marks.ts';
import type { SecretObject } from './secret-object.ts';

/**
 * Who manages which field of a Secret, as server-side apply notes it (https://kubernetes.io/docs/reference/using-api/server-side-apply/).
 * A copy of a Secret bears our marks, but not our management of them, unless somebody writes it under our name on purpose: a client
 * chooses that. What would matter beyond that one Secret has a digest for it (marks.ts).
 */

/** A node of FieldsV1: `f:NAME` a field, `k:{…}` an item of a list, `.` itself. */
type Fields = Record<string, unknown>;

const METADATA = 'f:metadata';
const DATA = 'f:data';

function isOwn({ manager, operation, subresource = '' }: ManagedField): boolean {
  return manager === FIELD_MANAGER && operation === 'Apply' && subresource === '';
}

function at(fields: unknown, ...path: string[]): Fields {
  return path.reduce((node, step) => objectOf(node[step]), objectOf(fields));
}

function names(fields: Fields): string[] {
  return Object.keys(fields).flatMap((key) => (key.startsWith('f:') ? [key.slice(2)] : []));
}

/** Names of the labels or annotations that the operator's last apply set and nobody has changed since. */
export function ownNames({ managedFields = [] }: ObjectMeta, of: 'labels' | 'annotations'): string[] {
  return names(at(managedFields.find(isOwn)?.fieldsV1, METADATA, `f:${of}`));
}

/** Whether the operator made it, or took it over; also when people have changed something, marks not excepted. */
export function isOurs(metadata: ObjectMeta): boolean {
  if (ownNames(metadata, 'labels').includes(PROJECTED_LABEL)) return true;
  return ownNames(metadata, 'annotations').some((name) => OWN_ANNOTATIONS.includes(name));
}

/** Whether all that an apply of ours may have to remove is managed by it alone. */
export function isSolelyOurs({ managedFields = [], ownerReferences = [] }: ObjectMeta): boolean {
  if (!managedFields.some(isOwn)) return false;
  if (ownerReferences.some(isForeignOwner)) return false;
  return managedFields.every((entry) => isOwn(entry) || at(entry.fieldsV1)[DATA] === undefined);
}

export function isForeignOwner({ apiVersion }: { apiVersion: string }): boolean {
  return !apiVersion.startsWith('coffer.dev/');
}

export interface TakeOverOptions {
  /** Annotations that go with the operator's next apply. */
  annotations: readonly string[];
  /** Whether the references to former owners go, too: their deletion would take the Secret along. */
  owners: boolean;
}

/**
 * The managed fields of a Secret after the operator has taken over its type, all its entries and what else is named. Nothing
 * of the object itself changes by that; the next apply then replaces all of it in one write, and removes what it does not name.
 */
export function takenOver(
  { metadata, data = {} }: SecretObject,
  { annotations, owners }: TakeOverOptions,
): ManagedField[] {
  const managed = metadata.managedFields ?? [];
  const present = annotations.filter((name) => metadata.annotations?.[name] !== undefined);
  const taken: Fields = {
    [DATA]: fieldsOf(Object.keys(data).map((name) => `f:${name}`)),
    'f:type': {},
    [METADATA]: {
      'f:annotations': fieldsOf(present.map((name) => `f:${name}`)),
      ...(owners
        ? { 'f:ownerReferences': fieldsOf((metadata.ownerReferences ?? []).map(({ uid }) => `k:{"uid":"${uid}"}`)) }
        : {}),
    },
  };
  const others = managed.filter((entry) => !isOwn(entry));
  const left = others.flatMap((entry) => {
    const fieldsV1 = without(at(entry.fieldsV1), taken);
    return Object.keys(fieldsV1).length === 0 ? [] : [{ ...entry, fieldsV1 }];
  });
  const own = managed.find(isOwn);
  const fieldsV1 = union(at(own?.fieldsV1), taken);
  return [
    ...left,
    { manager: FIELD_MANAGER, operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV1', ...own, fieldsV1 },
  ];
}

/** The managed fields of a Secret that the operator gives up: what it managed is nobody's in particular. */
export function givenUp({ managedFields = [] }: ObjectMeta): ManagedField[] {
  return managedFields.map((entry) =>
    isOwn(entry)
      ? {
          ...entry,
          manager: `${FIELD_MANAGER}-retained`,
          operation: 'Update',
          fieldsV1: withoutMarks(at(entry.fieldsV1)),
        }
      : entry,
  );
}

function withoutMarks(fields: Fields): Fields {
  return without(fields, {
    [METADATA]: {
      'f:labels': fieldsOf([`f:${PROJECTED_LABEL}`]),
      'f:annotations': fieldsOf(OWN_ANNOTATIONS.map((name) => `f:${name}`)),
      'f:ownerReferences': at(fields, METADATA, 'f:ownerReferences'),
    },
  });
}

function fieldsOf(keys: readonly string[]): Fields {
  return Object.fromEntries(['.', ...keys].map((key) => [key, {}]));
}

function isLeaf(node: Fields): boolean {
  return Object.keys(node).length === 0;
}

function union(a: Fields, b: Fields): Fields {
  const joined = { ...a };
  for (const key of Object.keys(b)) joined[key] = union(at(a, key), at(b, key));
  return joined;
}

/** What is left when the leaves of `taken` go, and what holds nothing after that. */
function without(fields: Fields, taken: Fields): Fields {
  const left: Fields = {};
  for (const key of Object.keys(fields)) {
    if (!(key in taken)) left[key] = at(fields, key);
    else if (!isLeaf(at(taken, key))) {
      const rest = without(at(fields, key), at(taken, key));
      if (!isLeaf(rest)) left[key] = rest;
    }
  }
  return left;
}
