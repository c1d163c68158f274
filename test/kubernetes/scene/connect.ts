import type { TestContext } from 'node:test';
import type { CallsOptions } from '../../../operator/kubernetes/calls.ts';
import type { KubeClient } from '../../../operator/kubernetes/client.ts';
import { connect } from '../../../operator/kubernetes/connect.ts';

/** A client for a test, closed after it. `namespace`: the operator's own. */
export async function connectTo(
  t: TestContext,
  kubeconfig: string,
  { namespace, ...options }: CallsOptions & { namespace?: string } = {},
): Promise<KubeClient> {
  const leaderElection = { lease: 'coffer-operator', duration: 15_000 };
  const settings = { kubeconfig, leaderElection, ...(namespace === undefined ? {} : { namespace }) };
  const client = await connect(settings, options);
  t.after(() => client.close());
  return client;
}
