import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { partVariable } from './parts.ts';

const scratch = mkdtempSync(join(tmpdir(), 'coffer-parts-test-'));
after(() => rmSync(scratch, { recursive: true }));

/** A test file of its own, since what a part is found by is read from the process's environment. */
const probe = join(scratch, 'probe.test.mjs');
writeFileSync(
  probe,
  `import { test } from 'node:test';
import { partOrSkip } from ${JSON.stringify(join(import.meta.dirname, 'parts.ts'))};
test('needs a part', async (t) => { console.log('part is', await partOrSkip(t, process.env.WANTED)); });
`,
);

function runProbe(wanted: string, environment: Record<string, string>): { status: number; output: string } {
  const env = { PATH: scratch, HOME: scratch, WANTED: wanted, ...environment };
  try {
    return {
      status: 0,
      output: execFileSync(process.execPath, ['--test-reporter=tap', probe], { env, encoding: 'utf8' }),
    };
  } catch (error) {
    const { status, stdout } = error as { status: number; stdout: string };
    return { status, output: stdout };
  }
}

describe('a real part', () => {
  test('is the program that its variable names', () => {
    const { status, output } = runProbe('ejson', { [partVariable('ejson')]: process.execPath });
    assert.equal(status, 0);
    assert.ok(output.includes(`part is ${process.execPath}`), output);
  });

  test('is found on the PATH before anything is built', () => {
    const binary = join(scratch, 'sops');
    writeFileSync(binary, '#!/bin/sh\n', { mode: 0o755 });
    assert.ok(runProbe('sops', {}).output.includes(`part is ${binary}`));
  });

  test('that is missing skips the test, naming the part and what installs it', () => {
    const { status, output } = runProbe('gpg', {});
    assert.equal(status, 0);
    assert.match(output, /# SKIP MISSING PART gpg: set COFFER_PART_GPG, or install it: apt-get install gnupg/);
  });

  test('that is missing fails the test where parts are required', () => {
    const { status, output } = runProbe('gpg', { COFFER_REQUIRE_PARTS: '1' });
    assert.equal(status, 1);
    assert.match(output, /MISSING PART gpg/);
  });

  test('whose variable names no program fails rather than running another one', () => {
    const { status, output } = runProbe('ejson', { [partVariable('ejson')]: '/nowhere/ejson' });
    assert.equal(status, 1);
    assert.match(output, /COFFER_PART_EJSON names/);
  });
});
