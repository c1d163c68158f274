import type { Static, TSchema } from 'typebox';
import Value from 'typebox/value';
import { parseJson } from '../../../core/json.ts';

/** What a text says as JSON; undefined: it is none, or not what the schema says. */
export function parseAs<Schema extends TSchema>(schema: Schema, text: string): Static<Schema> | undefined {
  const value = parseJson(text);
  return Value.Check(schema, value) ? value : undefined;
}
