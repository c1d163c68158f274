import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { Desk } from '../../test/cli/desk.ts';

/** Offers what a shell would offer after these words, of which the last is being typed. */
type Complete = (...words: string[]) => string[];

let desk: Desk;

before(() => {
  desk = new Desk();
  desk.installCoffer();
  for (const name of ['production', 'staging']) desk.write(`.coffer/recipients/${name}.yaml`, '');
  desk.write('some manifest.yaml', '');
  for (const shell of ['bash', 'zsh', 'fish']) {
    writeFileSync(join(desk.home, shell), desk.coffer(['completion', shell]));
  }
});

after(() => desk.remove());

const shells: Record<string, Complete> = {
  bash: (...words) => {
    const quoted = words.map((word) => `'${word}'`).join(' ');
    // As bash itself: "--flag=value" is three words.
    const script = `source ~/bash; COMP_WORDS=(coffer ${quoted.replace(/'(--[a-z-]+)=(\w*)'/, "'$1' '=' '$2'")})
      COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _coffer; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return lines(desk.run('bash', ['--norc', '-c', script]).stdout);
  },
  zsh: (...words) => {
    const current = words.at(-1) ?? '';
    const typed = current.replace(/^.*=/, '');
    // The completion system's own functions work at a terminal only; these stand for what they show.
    const script = `compdef() { }; compset() { }; compadd() { shift; print -l -- "$@" }; _files() { ls }
      source ~/zsh; words=(coffer ${words.map((word) => `'${word}'`).join(' ')}); CURRENT=\${#words}; _coffer`;
    return lines(desk.run('zsh', ['-f', '-c', script]).stdout).filter((word) => word.startsWith(typed));
  },
  fish: (...words) => {
    const line = ['coffer', ...words].join(' ');
    const script = `source ~/fish; complete -C '${line}'`;
    return lines(desk.run('fish', ['--no-config', '-c', script]).stdout).map(
      (offer) => offer.split('\t')[0]?.replace(/^--[a-z-]+=/, '') ?? '',
    );
  },
};

for (const [shell, complete] of Object.entries(shells)) {
  describe(`coffer completion ${shell}`, () => {
    const cases: [string, string[], string[]][] = [
      ['commands', ['rec'], ['recipients']],
      ['the commands of a topic', ['recipients', 'cr'], ['create']],
      ['flags', ['check', '--str'], ['--strict']],
      ['the choices of a flag', ['recipients', 'create', 'me', '--type', 'per'], ['person']],
      ['the choices of a flag after "="', ['recipients', 'create', 'me', '--type=per'], ['person']],
      ['the choices of an argument', ['completion', 'z'], ['zsh']],
      ['recipients', ['get', '--as', 'pro'], ['production']],
      ['nothing where anything goes', ['recipients', 'create', ''], []],
    ];
    for (const [what, words, offers] of cases) {
      test(`offers ${what}`, (t) => {
        if (!isThere(t, shell)) return;
        assert.deepEqual(complete(...words), offers);
      });
    }

    test('offers files', (t) => {
      if (!isThere(t, shell)) return;
      assert.ok(complete('get', 'some').some((offer) => offer.includes('manifest.yaml')));
    });

    test('offers commands once a word is expected', (t) => {
      if (!isThere(t, shell)) return;
      const offers = complete('');
      for (const command of ['check', 'grant', 'recipients']) assert.ok(offers.includes(command), command);
    });
  });
}

describe('coffer completion', () => {
  test('without a shell says which there are, exit code 2', () => {
    const { status, stderr } = desk.try(['completion']);
    assert.equal(status, 2);
    assert.match(stderr, /bash`, `zsh` or `fish/);
  });

  test('lists nothing, and is silent, where there is no repository', () => {
    const { status, stdout, stderr } = desk.try(['completion', '--list', 'recipients'], { cwd: '/' });
    assert.deepEqual([status, stdout, stderr], [0, '', '']);
  });
});

function isThere(t: TestContext, shell: string): boolean {
  if (spawnSync(shell, ['--version']).error === undefined) return true;
  t.skip(`${shell} is not installed here`);
  return false;
}

function lines(output: string): string[] {
  return output.split('\n').filter((line) => line !== '');
}
