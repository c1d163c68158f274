/**
 * A manifest of which a sealed value does not open, the first one behind `behind`: one of its characters is another. (One that is set
 * to a fixed character is the same once in 64 times.)
 */
export function damaged(text: string, behind = ''): string {
  const at = text.indexOf('CF[1:', text.indexOf(behind));
  const changed = (_: string, before: string, one: string) => before + (one === 'A' ? 'B' : 'A');
  return text.slice(0, at) + text.slice(at).replace(/^(CF\[1:[^:]{32}:.{20})(.)/, changed);
}
