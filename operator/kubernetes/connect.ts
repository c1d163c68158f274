import type { KubernetesSettings } from '../config/settings.ts';
import { ApiClient } from './api-client.ts';
import { Calls, type CallsOptions } from './calls.ts';
import type { KubeClient } from './client.ts';
import { Credentials } from './credentials.ts';
import { Transport } from './transport.ts';

/** Reads the configuration; asks the server nothing yet. Throws CofferError `KUBERNETES_CONFIG`. */
export async function connect(settings: KubernetesSettings, options: CallsOptions = {}): Promise<KubeClient> {
  const credentials = await Credentials.open(settings);
  return new ApiClient(new Calls(new Transport(credentials), options), credentials.namespace);
}
