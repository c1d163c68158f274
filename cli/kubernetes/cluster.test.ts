import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, test } from 'node:test';
import { Desk } from '../../test/cli/desk.ts';

const desk = new Desk();
after(() => desk.remove());

/** In a pod its ServiceAccount is one. */
const skip = existsSync('/var/run/secrets/kubernetes.io/serviceaccount/token');

test('where there is no kubeconfig, that is what is said: not that one reaches a server without TLS', { skip }, () => {
  desk.coffer(['init', '--no-hook']);
  desk.git('commit', '--quiet', '--allow-empty', '--message', 'Begin');
  const { status, stderr } = desk.try(['status']);
  assert.equal(status, 2);
  assert.match(stderr, /^error CLUSTER_CONFIG: there is no kubeconfig.*\n {2}.*--kubeconfig FILE.*--url/);
});
