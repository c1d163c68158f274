import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

test('a test file that never ends is ended with the programs that have its output, and the run says what held it', async () => {
  const [file, limit] = ['held-open.ts', 'limit.ts'].map((name) => join(import.meta.dirname, name)) as [string, string];
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  // Imported before the limit begins, it is open when that ends, however slow the machine is.
  const args = [`--import=${file}`, `--import=${limit}`, '--test', '--test-reporter=tap', file];
  const { code, output } = await new Promise<{ code: unknown; output: string }>((resolve) => {
    execFile(process.execPath, args, { env: { ...env, COFFER_TEST_FILE_LIMIT: '500' } }, (error, stdout, stderr) =>
      resolve({ code: error?.code, output: stdout + stderr }),
    );
  });
  assert.equal(code, 1, output);
  assert.match(output, /held-open\.ts still runs after .* was ended; open: (?=.*TCPServerWrap).*ProcessWrap/);
  assert.match(output, /^not ok 1 - .*held-open\.ts/m);
});
