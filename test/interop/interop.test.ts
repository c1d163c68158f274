import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import type { Binding } from '../../core/format/sealed/binding.ts';
import { openStanza } from '../../core/format/sealed/stanza.ts';
import { openValue } from '../../core/format/sealed/value.ts';
import { partOrSkip } from '../parts/parts.ts';

const run = promisify(execFile);
const VECTORS = join(import.meta.dirname, '../vectors');
/** The first with crypto/hpke. */
const GO_MINOR = 26;

let folder: string;
let built: Promise<string> | undefined;

before(async () => {
  await sodiumReady();
  folder = await mkdtemp(join(tmpdir(), 'coffer-interop-'));
});

after(() => rm(folder, { recursive: true, force: true }));

/** The program, built once; undefined where the test was skipped. */
async function interop(t: TestContext): Promise<string | undefined> {
  const go = await partOrSkip(t, 'go');
  if (go === undefined || (await isTooOld(t, go))) return undefined;
  built ??= build(go);
  return await built;
}

async function isTooOld(t: TestContext, go: string): Promise<boolean> {
  const { stdout } = await run(go, ['env', 'GOVERSION'], goOptions());
  const minor = Number(/^go1\.(\d+)/.exec(stdout)?.[1]);
  if (minor >= GO_MINOR) return false;
  const message = `MISSING PART go 1.${GO_MINOR}: found ${stdout.trim()}, which has no crypto/hpke`;
  assert.notEqual(process.env.COFFER_REQUIRE_PARTS, '1', message);
  process.stderr.write(`${message}\n`);
  t.skip(message);
  return true;
}

async function build(go: string): Promise<string> {
  const program = join(folder, 'interop');
  await run(go, ['build', '-o', program, '.'], goOptions());
  return program;
}

/** No toolchain and no module is downloaded: there are none to download. */
function goOptions() {
  return { cwd: import.meta.dirname, env: { ...process.env, GOTOOLCHAIN: 'local', GOPROXY: 'off', GOFLAGS: '' } };
}

test('a reader with another HPKE, written from the format page, comes to every answer of the vectors', async (t) => {
  const program = await interop(t);
  if (program === undefined) return;
  const { stdout } = await run(program, [VECTORS]);
  assert.match(stdout, /^[1-9]\d\d answers agree, 0 differ\n$/);
});

test('coffer opens what the other writer seals', async (t) => {
  const program = await interop(t);
  if (program === undefined) return;
  const { stdout } = await run(program, ['-seal', VECTORS]);
  const sealed = JSON.parse(stdout) as {
    recipient: string;
    kid: string;
    seed: string;
    dataKeyId: string;
    binding: Binding;
    stanza: string;
    entry: string;
    value: string;
  };
  const { recipient, kid, binding } = sealed;
  const as = { recipient, kid, seed: Buffer.from(sealed.seed, 'hex') };
  const dataKey = openStanza(sealed.stanza, as, binding, sealed.dataKeyId);
  assert.equal(openValue(sealed.value, dataKey, binding, sealed.entry).toString(), 'sealed by Go');
});
