import { parseJson } from '../../core/json.ts';

/** Of a text that anybody may have written: the JSON object in it, or an empty one. */
export function objectFrom(text: string): Record<string, unknown> {
  const value = parseJson(text);
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
