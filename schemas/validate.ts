/** Validation in plain words: what a schema refuses, where, and what would be right. Never what the value was. */
import { Errors } from 'typebox/schema';
import { CHECKS } from './checks.ts';
import { PATTERN_ADVICE } from './grammar.ts';

export interface SchemaProblem {
  /** Field names and list positions from the root of the value. */
  path: (string | number)[];
  message: string;
  advice: string;
  /** A string would be right: where YAML read something else, quotes are what is missing. */
  wantsString: boolean;
}

type JsonSchema = Readonly<Record<string, unknown>>;
type SchemaError = ReturnType<typeof Errors>[1][number];

/**
 * Checks plain data against a schema of SCHEMAS. No problems: it conforms. The generated check decides; the library,
 * which interprets the schema, says what is wrong. Throws where the two disagree, rather than let anything through.
 */
export function validate(schema: object, value: unknown): SchemaProblem[] {
  const check = CHECKS[String((schema as JsonSchema).$id)];
  if (check?.(value)) return [];
  const [conforms, errors] = Errors(schema, value);
  const problems = errors.flatMap((error) => problemsOf(error, schema as JsonSchema, value));
  if (problems.length === 0 && !(conforms && check === undefined)) throw new Error('a schema problem without a name');
  return problems;
}

function problemsOf(error: SchemaError, root: JsonSchema, value: unknown): SchemaProblem[] {
  const schema = schemaAt(root, error.schemaPath);
  const path = pathOf(error.instancePath, value);
  const params = error.params as Readonly<Record<string, unknown>>;
  const at = (message: string, advice: string): SchemaProblem[] => [
    { path, message, advice, wantsString: wantsString(schema) },
  ];
  switch (error.keyword) {
    case 'boolean':
      return []; // the refusal of a field, which `additionalProperties` reports too
    case 'additionalProperties':
      return names(params.additionalProperties).map((name) => unknownField([...path, name], name, schema));
    case 'required':
      return names(params.requiredProperties).flatMap((name) =>
        at(`The field ${JSON.stringify(name)} is missing.`, missingAdvice(name, schema)),
      );
    case 'type':
      return at(`This is not ${typeName(params.type)}.`, adviceOf(schema) ?? `Write ${typeName(params.type)}.`);
    case 'enum':
      return at('This value is not known here.', `Use one of ${names(schema.enum).join(', ')}.`);
    case 'const':
      return at('This value is not known here.', `Use ${String(schema.const)}.`);
    case 'pattern':
      return at('This text is not well-formed.', adviceOf(schema) ?? `It must match ${String(schema.pattern)}.`);
    case 'uniqueItems':
      return at('The list holds an item twice.', 'Remove the second one.');
    default:
      return at(`This ${error.message}.`, adviceOf(schema) ?? 'Correct it.');
  }
}

function unknownField(path: (string | number)[], name: string, schema: JsonSchema): SchemaProblem {
  const patterns = Object.keys((schema.patternProperties as JsonSchema | undefined) ?? {});
  const [pattern] = patterns;
  if (pattern !== undefined) {
    const message = `The name ${JSON.stringify(name)} is not well-formed.`;
    const advice = `Use ${PATTERN_ADVICE[pattern] ?? `a name that matches ${pattern}`}.`;
    return { path, message, advice, wantsString: false };
  }
  const known = Object.keys((schema.properties as JsonSchema | undefined) ?? {});
  const message = `The field ${JSON.stringify(name)} is not known here.`;
  return {
    path,
    message,
    advice: `Remove it, or correct its name; known are ${known.join(', ')}.`,
    wantsString: false,
  };
}

function wantsString({ type, const: only, enum: values }: JsonSchema): boolean {
  return type === 'string' || typeof only === 'string' || names(values).length > 0;
}

function missingAdvice(name: string, schema: JsonSchema): string {
  const properties = schema.properties as Readonly<Record<string, JsonSchema>> | undefined;
  const description = properties?.[name]?.description;
  return typeof description === 'string' ? `Add it: ${description}.` : 'Add it.';
}

function adviceOf(schema: JsonSchema): string | undefined {
  const advice = typeof schema.pattern === 'string' ? PATTERN_ADVICE[schema.pattern] : undefined;
  return advice === undefined ? undefined : `Use ${advice}.`;
}

function typeName(type: unknown): string {
  const article = /^[aeiou]/.test(String(type)) ? 'an' : 'a';
  return `${article} ${type === 'array' ? 'list' : String(type)}`.replace('an list', 'a list');
}

function names(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/** The schema that an error's `schemaPath` (a JSON pointer after `#`) names. */
function schemaAt(root: JsonSchema, pointer: string): JsonSchema {
  let schema: unknown = root;
  for (const step of steps(pointer.slice(1))) schema = (schema as JsonSchema | undefined)?.[step];
  return (schema ?? {}) as JsonSchema;
}

/** List positions become numbers. */
function pathOf(pointer: string, root: unknown): (string | number)[] {
  let value = root;
  return steps(pointer).map((step) => {
    const position = Array.isArray(value) ? Number(step) : step;
    value = (value as Record<string | number, unknown> | undefined)?.[position];
    return position;
  });
}

function steps(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}
