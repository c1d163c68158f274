import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { load } from 'js-yaml';
import { ROOT, readPages } from './pages.ts';

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

test('the configuration of examples/plain-host is the one that docs/plain-host.md explains', () => {
  const page = readPages().find(({ file }) => file === 'docs/plain-host.md');
  const shown = page?.blocks.find(({ language, text }) => language === 'yaml' && text.includes('kind: OperatorConfig'));
  assert.ok(shown);
  assert.deepEqual(load(read('examples/plain-host/operator.yaml')), load(shown.text));
});

test('systemd accepts the unit of examples/plain-host', (t) => {
  const checker = spawnSync('systemd-analyze', ['--version']);
  if (checker.error) return t.skip('systemd-analyze is not installed (Debian: apt-get install systemd)');
  const unit = join(ROOT, 'examples/plain-host/coffer-operator.service');
  const { stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', unit], { encoding: 'utf8' });
  // The programs and pages that the unit names are not installed on this machine.
  const complaints = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('coffer-operator.service'));
  assert.deepEqual(
    complaints.filter((line) => !line.includes('is not executable')),
    [],
  );
});
