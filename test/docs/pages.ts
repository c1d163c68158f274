/** The project's own pages, as the tests of the documentation see them: fenced blocks, links and headings. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');

export interface Block {
  language: string;
  /** Counts from 1: the block's first line of content. */
  line: number;
  text: string;
}

export interface Link {
  target: string;
  line: number;
}

export interface Page {
  /** From the root of the repository. */
  file: string;
  blocks: Block[];
  links: Link[];
  /** What `#…` can name, as GitHub makes it of the headings. */
  anchors: ReadonlySet<string>;
}

export function readPages(): Page[] {
  const files = globSync('**/*.md', { cwd: ROOT, exclude: ['**/node_modules', 'dist'] });
  return files.toSorted().map((file) => readPage(file, readFileSync(join(ROOT, file), 'utf8')));
}

function readPage(file: string, text: string): Page {
  const page = { file, blocks: [] as Block[], links: [] as Link[], anchors: new Set<string>() };
  let open: { language: string; line: number; lines: string[]; indent: number } | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    // A comment that begins with its language is a block that readers do not see: what a page takes as given.
    const fence = /^(\s*)```(\w*)/.exec(line) ?? /^()<!-- (sh)$/.exec(line) ?? /^()-->$/.exec(line);
    if (fence && open === undefined) {
      open = { language: fence[2] ?? '', line: index + 2, lines: [], indent: fence[1]?.length ?? 0 };
    } else if (fence && open) {
      page.blocks.push({ language: open.language, line: open.line, text: `${open.lines.join('\n')}\n` });
      open = undefined;
    } else if (open) {
      open.lines.push(line.slice(open.indent));
    } else {
      const heading = /^#+ (.*)$/.exec(line);
      if (heading?.[1]) page.anchors.add(anchorOf(heading[1]));
      const prose = line.replaceAll(/`[^`]*`/g, '');
      for (const [, inline, source] of prose.matchAll(/\]\(([^)\s]+)\)|src="([^"]+)"/g)) {
        page.links.push({ target: inline ?? source ?? '', line: index + 1 });
      }
    }
  }
  return page;
}

function anchorOf(heading: string): string {
  const text = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
  return text.replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-');
}
