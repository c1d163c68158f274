import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import packageJson from '../../package.json' with { type: 'json' };
import { Site } from '../operator/site.ts';
import { generateKey } from '../servers/sshd.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');

/** Base images cannot be had everywhere; what the image adds to them can. */
async function assemble(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'coffer-image-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await run(process.execPath, [join(ROOT, 'deploy', 'image', 'assemble.ts'), folder]);
  await chmod(folder, 0o755);
  return folder;
}

test('the image’s programs run without the project beside them, as the unprivileged user of the image', async (t) => {
  const folder = await assemble(t);
  const isRoot = process.getuid?.() === 0;
  for (const program of ['coffer-operator', 'coffer-node']) {
    const { stdout } = await run(process.execPath, [join(folder, `${program}.js`), '--version'], {
      cwd: '/',
      env: {},
      ...(isRoot && { uid: 65_532, gid: 65_532 }),
    });
    assert.equal(stdout, `${program} ${packageJson.version}\n`);
  }
  // As kubectl exec does; its first line names the image's own node.
  const launcher = join(folder, 'bin', 'coffer-operator');
  const { stdout } = await run(process.execPath, [launcher, '--version'], { cwd: '/', env: {} });
  assert.equal(stdout, `coffer-operator ${packageJson.version}\n`);
  assert.equal((await stat(launcher)).mode & 0o777, 0o755);
  assert.match(await readFile(launcher, 'utf8'), /^#!\/usr\/bin\/node\n/);
});

test('the image’s operator speaks ssh with what is in the image', async (t) => {
  const folder = await assemble(t);
  const site = await Site.open(t);
  await generateKey(site.path('id_ed25519'), 'ed25519');
  await writeFile(site.path('known_hosts'), '');
  const url = `ssh://git@127.0.0.1:1${site.path('repository')}`;
  site.configure({ sources: [{ git: { url, sshKeyFile: 'id_ed25519', knownHostsFile: 'known_hosts' } }] });
  const args = [join(folder, 'coffer-operator.js'), '--config', site.path('operator.yaml'), '--once'];
  // Nobody listens there; the key was read, and the connection tried.
  await assert.rejects(
    run(process.execPath, args, { cwd: '/' }),
    ({ code, stdout }: { code: number; stdout: string }) => {
      assert.equal(code, 1, stdout);
      assert.match(stdout, /"code":"SOURCE_UNREACHABLE"/);
      return true;
    },
  );
});

test('the image holds no command of the CLI, no source and no library beside what its programs load', async (t) => {
  const folder = await assemble(t);
  const files = await readdir(folder);
  assert.ok(!files.includes('coffer.js') && !files.includes('commands.js') && !files.includes('node_modules'));
  for (const file of files) assert.match(file, /\.js$|^bin$|^LICENSE$|^package\.json$/);
});

test('the image that is built by default is the operator’s, and runs as nobody', async () => {
  const lines = (await readFile(join(ROOT, 'deploy', 'Dockerfile'), 'utf8')).split('\n');
  const instructions = lines.filter((line) => /^(?:FROM|USER|ENTRYPOINT) /.test(line)).slice(-3);
  assert.match(instructions[0] ?? '', / AS operator$/);
  assert.equal(instructions[1], 'USER 65532:65532');
  assert.equal(instructions[2], 'ENTRYPOINT ["/usr/bin/node", "/opt/coffer/coffer-operator.js"]');
});
