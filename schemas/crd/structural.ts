/**
 * A JSON Schema of this folder as the structural schema of a CustomResourceDefinition, made so that the API server's answers and
 * logs quote no value. Whoever forgets to seal a manifest sends plaintext to the server, and it would repeat it: `pattern` and `enum` quote the
 * text they refuse, and where a schema says `string` server-side apply quotes the number, list or object that stands there instead
 * (kubernetes-sigs/structured-merge-diff, typed/validate.go: "expected string, got …"), in its log too. So:
 *
 * - the grammar of texts is left to the operator, which quotes nothing, and what matters before anything is stored is a CEL
 *   rule of the map around the text (the error of a rule quotes neither the map nor what is in it);
 * - the values of maps are `int-or-string`, the one type that server-side apply takes as it comes and that CEL sees, and a rule
 *   of the map refuses what is no string.
 */
import type { TSchema } from 'typebox';

/** A schema as plain data, whose keywords are read. */
export type JsonSchema = Readonly<Record<string, unknown>>;

export interface Rule {
  rule: string;
  message: string;
}

/**
 * Entries of a map with rules and no other limit: the server estimates what they cost by it, and refuses definitions that
 * could cost too much (https://kubernetes.io/docs/reference/using-api/cel/#resource-constraints).
 */
const MAP_LIMIT = 256;

const KEPT = ['description', 'minItems', 'maxItems', 'maxLength', 'minimum', 'format'] as const;

/** `rules`: by the dotted path of the object or map that they stand on. Throws where the schema has what no CRD can say. */
export function structuralSchema(schema: TSchema, rules: Readonly<Record<string, readonly Rule[]>> = {}): JsonSchema {
  const unused = new Set(Object.keys(rules));
  const convert = (node: JsonSchema, path: string): JsonSchema => {
    unused.delete(path);
    const own = [...textRules(node), ...(rules[path] ?? [])];
    return {
      ...pick(node),
      ...extensions(node),
      ...shape(node, path, convert),
      ...(own.length === 0 ? {} : { 'x-kubernetes-validations': own }),
    };
  };
  const converted = convert(schema as unknown as JsonSchema, '');
  if (unused.size > 0) throw new Error(`no such place in the schema: ${[...unused].join(', ')}`);
  return converted;
}

type Convert = (node: JsonSchema, path: string) => JsonSchema;

function shape(node: JsonSchema, path: string, convert: Convert): JsonSchema {
  if (Array.isArray(node.enum) || typeof node.const === 'string') return { type: 'string', maxLength: 253 };
  switch (node.type) {
    case 'object':
      return { type: 'object', ...fields(node, path, convert) };
    case 'array':
      return { type: 'array', items: convert(node.items as JsonSchema, `${path}[]`) };
    case 'string':
    case 'integer':
    case 'boolean':
      return { type: node.type };
    default:
      throw new Error(`nothing is said about ${path}`);
  }
}

function fields(node: JsonSchema, path: string, convert: Convert): JsonSchema {
  const value = mapValue(node);
  if (value !== undefined) {
    const additionalProperties = isText(value) ? { 'x-kubernetes-int-or-string': true } : convert(value, `${path}.*`);
    const limit =
      node.maxProperties ?? (isText(value) || 'maxProperties' in additionalProperties ? MAP_LIMIT : undefined);
    return { ...(limit === undefined ? {} : { maxProperties: limit }), additionalProperties };
  }
  const properties = Object.entries((node.properties ?? {}) as Record<string, JsonSchema>);
  return {
    ...(node.required === undefined ? {} : { required: node.required }),
    properties: Object.fromEntries(
      properties.map(([name, field]) => [name, convert(field, path === '' ? name : `${path}.${name}`)]),
    ),
  };
}

/** Of a map, what its values are; undefined for an object of named fields. */
function mapValue(node: JsonSchema): JsonSchema | undefined {
  return Object.values((node.patternProperties ?? {}) as Record<string, JsonSchema>)[0];
}

/** A value of any kind is text as well: sealed, or what somebody forgot to seal. */
function isText(value: JsonSchema): boolean {
  return value.type === 'string' || Object.keys(value).length === 0;
}

function textRules(node: JsonSchema): Rule[] {
  const value = mapValue(node);
  if (value === undefined || !isText(value)) return [];
  return [{ rule: 'self.all(name, type(self[name]) == string)', message: 'each value must be a string: quote it' }];
}

function pick(node: JsonSchema): JsonSchema {
  return Object.fromEntries(KEPT.filter((key) => node[key] !== undefined).map((key) => [key, node[key]]));
}

function extensions(node: JsonSchema): JsonSchema {
  return Object.fromEntries(Object.entries(node).filter(([key]) => key.startsWith('x-kubernetes-')));
}
