import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { agrees, commandsOf, runInScratch } from './console.ts';
import NOT_RUN from './not-run.json' with { type: 'json' };
import { readPages } from './pages.ts';

const pages = readPages().filter((page) => commandsOf(page).length > 0);
const exceptionFor = (page: string, command: string) =>
  NOT_RUN.find((exception) => exception.page === page && exception.command === command);

describe('a command that the documentation shows does what it shows', () => {
  for (const page of pages) {
    const commands = commandsOf(page).filter(({ text }) => !exceptionFor(page.file, text));
    if (commands.length === 0) continue;
    test(page.file, async () => {
      for (const { text, line, code, printed, output } of await runInScratch(commands)) {
        const where = `${page.file}:${line}: $ ${text}\n${printed}`;
        // A page may show a refusal; then it shows what is printed, too.
        if (output === undefined) assert.equal(code, 0, where);
        else assert.ok(agrees(output, printed), `${where}\n--- is not what the page shows:\n${output}`);
      }
    });
  }

  test('except those in not-run.json, each with its reason, and each still shown', () => {
    for (const { page, command, reason } of NOT_RUN) {
      const shown = pages.find(({ file }) => file === page);
      assert.ok(shown && commandsOf(shown).some(({ text }) => text === command), `${page} no longer shows: ${command}`);
      assert.ok(reason.length > 10, `${page}: ${command}: why?`);
    }
  });
});

describe('output that a page shows', () => {
  const cases: [shown: string, printed: string, agree: boolean][] = [
    ['one\ntwo', 'one\ntwo', true],
    ['one', 'one\ntwo', false],
    ['key …abc', 'key 0123abc', true],
    ['one\n…\nfour', 'one\ntwo\nthree\nfour', true],
    ['a.c', 'abc', false],
  ];
  for (const [shown, printed, agree] of cases) {
    test(`${JSON.stringify(shown)} ${agree ? 'agrees' : 'does not agree'} with ${JSON.stringify(printed)}`, () => {
      assert.equal(agrees(shown, printed), agree);
    });
  }
});
