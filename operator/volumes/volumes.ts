import { Bug } from '../../core/errors.ts';
import type { VolumesSettings } from '../config/settings.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import type { Log } from '../log.ts';
import type { Reader } from './reader.ts';

export interface VolumesParts {
  client: KubeClient;
  /** Opens on demand: the reconciler. */
  reader: Reader;
  /** Whether what is missing is missing for good: every source was seen. Before that, pods are told to come again. */
  isReady(): boolean;
  log: Log;
}

/** The server that node plugins, and people in an emergency, ask for values. */
export interface Volumes {
  /** `https://HOST:PORT` as it came out. */
  readonly address: string;
  close(): Promise<void>;
}

/** Makes or finds the serving certificate and listens. Throws KubernetesError, and CofferError `SERVE_ADDRESS`. */
export async function openVolumes(_settings: VolumesSettings, _parts: VolumesParts): Promise<Volumes> {
  throw new Bug('not written yet');
}
