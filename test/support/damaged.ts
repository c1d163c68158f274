/**
 * A manifest whose first sealed value does not open: one of its characters is another. (One that is set to a fixed character is the
 * same once in 64 times.)
 */
export function damaged(text: string): string {
  return text.replace(
    /(CF\[1:[^:]{32}:.{20})(.)/,
    (_, before: string, one: string) => before + (one === 'A' ? 'B' : 'A'),
  );
}
