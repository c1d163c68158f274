import type { TestContext } from 'node:test';
import { type ConnectOptions, connect, type KubeClient } from '../../operator/kubernetes/client.ts';

/** A client for a test, closed after it. */
export async function connectTo(t: TestContext, kubeconfig: string, options: ConnectOptions = {}): Promise<KubeClient> {
  const leaderElection = { lease: 'coffer-operator', duration: 15_000 };
  const client = await connect({ kubeconfig, leaderElection }, options);
  t.after(() => client.close());
  return client;
}
