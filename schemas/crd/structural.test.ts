import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import Type from 'typebox';
import { ANY, map, strict } from '../metadata.ts';
import { encryptedSecretDefinition } from './encrypted-secret.ts';
import { secretReadersDefinition } from './secret-readers.ts';
import { structuralSchema } from './structural.ts';

interface Node {
  type?: string;
  properties?: Record<string, Node>;
  additionalProperties?: Node;
  items?: Node;
  [keyword: string]: unknown;
}

/** Every schema inside a schema, with its path. */
function* nodesOf(node: Node, path = ''): Generator<[path: string, node: Node]> {
  yield [path, node];
  for (const [name, field] of Object.entries(node.properties ?? {})) yield* nodesOf(field, `${path}.${name}`);
  if (node.additionalProperties !== undefined) yield* nodesOf(node.additionalProperties, `${path}.*`);
  if (node.items !== undefined) yield* nodesOf(node.items, `${path}[]`);
}

const definitions = [encryptedSecretDefinition, secretReadersDefinition];

describe('the definitions of the cluster’s kinds', () => {
  for (const { spec } of definitions) {
    const [version] = spec.versions;
    const nodes = [...nodesOf(version?.schema.openAPIV3Schema as Node)];

    test(`${spec.names.kind} says nothing by which the API server would quote what it refuses`, () => {
      for (const [path, node] of nodes) {
        for (const keyword of ['pattern', 'enum', 'not', 'anyOf', 'oneOf', 'allOf'])
          assert.ok(!(keyword in node), path);
      }
    });

    test(`${spec.names.kind} takes any text as the value of a map, and refuses the rest by a rule of the map`, () => {
      for (const [path, { additionalProperties: value, ...node }] of nodes) {
        if (value === undefined || value.type === 'object' || value.type === 'array') continue;
        assert.deepEqual(value, { 'x-kubernetes-int-or-string': true }, path);
        const [rule] = node['x-kubernetes-validations'] as { rule: string }[];
        assert.equal(rule?.rule, 'self.all(name, type(self[name]) == string)', path);
        assert.equal(typeof node.maxProperties, 'number', `${path}: the server estimates the rule’s cost`);
      }
    });

    test(`${spec.names.kind} is structural: each schema has a type`, () => {
      for (const [path, node] of nodes) assert.ok(node.type ?? node['x-kubernetes-int-or-string'], path);
    });
  }
});

describe('a structural schema', () => {
  test('leaves the grammar of texts to the operator and keeps what bounds them', () => {
    const schema = strict({
      name: Type.String({ pattern: '^a$', maxLength: 5, description: 'A name' }),
      kind: Type.Enum(['a', 'b']),
      words: Type.Array(Type.String({ pattern: '^a$' }), { minItems: 1, maxItems: 2, uniqueItems: true }),
    });
    assert.deepEqual(structuralSchema(schema), {
      type: 'object',
      required: ['name', 'kind', 'words'],
      properties: {
        name: { type: 'string', maxLength: 5, description: 'A name' },
        kind: { type: 'string', maxLength: 253 },
        words: { type: 'array', minItems: 1, maxItems: 2, items: { type: 'string' } },
      },
    });
  });

  test('takes rules where they belong, and no rule for a place that is not there', () => {
    const rule = { rule: 'true', message: 'never' };
    const schema = strict({ words: map(ANY, Type.String()) });
    const { properties } = structuralSchema(schema, { words: [rule] }) as unknown as { properties: { words: Node } };
    assert.deepEqual((properties.words['x-kubernetes-validations'] as object[]).at(-1), rule);
    assert.throws(() => structuralSchema(schema, { wrods: [rule] }), /no such place in the schema: wrods/);
  });
});
