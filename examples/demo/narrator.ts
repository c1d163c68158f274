/** How the demo speaks: scenes, a few words, commands as one types them, and what they answered. Colours only on a terminal. */

const colours = process.stdout.isTTY && process.env.NO_COLOR === undefined;
const paint = (code: number, text: string) => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);
const WIDTH = 100;
let scenes = 0;

export function scene(title: string): void {
  scenes += 1;
  const head = `── ${scenes}. ${title} `;
  console.log(`\n${paint(1, head.padEnd(WIDTH, '─'))}`);
}

export function tell(text: string): void {
  console.log();
  for (const line of wrap(text)) console.log(line);
}

export function showCommand(prompt: string, line: string): void {
  console.log(`\n  ${paint(2, `${prompt}$`)} ${paint(36, line)}`);
}

export function showOutput(output: string, maxLines = 24): void {
  const lines = output
    .trimEnd()
    .split('\n')
    .filter((line, index, all) => line !== '' || index < all.length - 1);
  for (const line of lines.slice(0, maxLines)) console.log(`  ${shorten(line)}`);
  if (lines.length > maxLines) console.log(paint(2, `  … ${lines.length - maxLines} more lines`));
}

export function done(text: string): void {
  console.log(`\n${paint(32, '✓')} ${text}`);
}

/** Sealed text is long and all alike. */
function shorten(line: string): string {
  const short = line.replaceAll(/(CF\[1:|[0-9a-f]{32}:|(?:public|identity)-1-)([\w-]{12})[\w:-]{20,}/g, '$1$2…');
  return short.length > WIDTH + 20 ? `${short.slice(0, WIDTH + 19)}…` : short;
}

function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter(Boolean)) {
    if (line.length + word.length + 1 > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}
