import Type, { type TObject, type TProperties, type TSchema, type TSchemaOptions } from 'typebox';
import { MANIFEST_NAME, NAME } from './grammar.ts';

/** An object that refuses the fields which it does not name. */
export function strict<Properties extends TProperties>(
  properties: Properties,
  options: TSchemaOptions = {},
): TObject<Properties> {
  return Type.Object(properties, { ...options, additionalProperties: false });
}

/** An object of any number of fields with names of this pattern; it refuses the others. */
export function map<Value extends TSchema>(pattern: string, value: Value, options: TSchemaOptions = {}) {
  return Type.Record(Type.String({ pattern }), value, { ...options, additionalProperties: false });
}

/** Any name at all. */
export const ANY = '^';

const text = () => Type.Optional(Type.String());
const texts = () => Type.Optional(map(ANY, Type.String()));

/** Every field of Kubernetes' ObjectMeta is allowed; only `name` and `namespace` mean something here. */
const objectMeta = {
  annotations: texts(),
  creationTimestamp: Type.Optional(Type.Unknown()),
  deletionGracePeriodSeconds: Type.Optional(Type.Unknown()),
  deletionTimestamp: Type.Optional(Type.Unknown()),
  finalizers: Type.Optional(Type.Array(Type.String())),
  generateName: text(),
  generation: Type.Optional(Type.Unknown()),
  labels: texts(),
  managedFields: Type.Optional(Type.Unknown()),
  ownerReferences: Type.Optional(Type.Unknown()),
  resourceVersion: text(),
  selfLink: text(),
  uid: text(),
};

export const namedMetadata = strict({ ...objectMeta, name: Type.String({ pattern: NAME }), namespace: text() });

export const namespacedMetadata = strict({
  ...objectMeta,
  name: Type.String({ pattern: MANIFEST_NAME }),
  namespace: Type.String({ pattern: NAME }),
});
