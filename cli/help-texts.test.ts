import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Command, Config, Help } from '@oclif/core';
import { packageOf } from './start.ts';

class ShownHelp extends Help {
  textOf(command: Command.Loadable): string {
    return this.formatCommand(command);
  }
}

test('the help of every command fits 80 columns, fills its paragraphs, and lists each flag once in its usage', async () => {
  const config = await Config.load({ root: import.meta.dirname, pjson: packageOf(import.meta), isRoot: true });
  const help = new ShownHelp(config, { maxWidth: 80 });
  assert.ok(config.commands.length > 40);
  for (const command of config.commands) {
    const { id, summary = '', description = '', flags, examples = [] } = command;
    const text = help.textOf(command);
    assert.deepEqual(
      [summary, ...text.split('\n')].filter((line) => line.length > 80),
      [],
      id,
    );
    assert.doesNotMatch(description, /\S\n\S/, id);
    assert.doesNotMatch(text, /default: \]/, id);
    const usage = /^USAGE\n(.*?)\n\n/ms.exec(text)?.[1] ?? '';
    for (const { name, char } of Object.values(flags).filter(({ name }) => name !== 'json')) {
      const word = char === undefined ? `--(?:\\[no-\\])?${name}` : `-${char}`;
      assert.equal(usage.match(new RegExp(`(?<![\\w-])${word}(?![\\w-])`, 'g'))?.length, 1, `${id} ${name}: ${usage}`);
    }
    assert.doesNotMatch(usage, /\|\s*[|\]]|\s\]/, id);
    for (const example of examples)
      if (typeof example !== 'string') assert.match(example.description, /^\S.*[:?]$/, id);
  }
});
