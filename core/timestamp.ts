/** As files of a repository write times (`TIMESTAMP` of schemas/grammar.ts): `YYYY-MM-DDTHH:MM:SSZ`. */
export function timestamp(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}
