import type { AuditLog } from '../../core/audit/log.ts';
import type { CofferError } from '../../core/errors.ts';
import { matches } from '../../core/format/manifest/reach.ts';
import type { VolumesSettings } from '../config/settings.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import { KubernetesError } from '../kubernetes/kubernetes-error.ts';
import type { Log } from '../process/log.ts';
import { BreakGlassRoute } from './break-glass.ts';
import { Denials } from './denials.ts';
import { type MountOutcome, MountRoute } from './mount.ts';
import { AUDIENCE } from './pod.ts';
import { BREAK_GLASS_PATH, MOUNT_PATH } from './protocol.ts';
import type { Reader } from './reader.ts';
import { type Answer, type Asked, startServer, type VolumesServer } from './server.ts';
import { keepRenewing, type ServingCertificateParts, serveWithCertificate } from './serving/serving-certificate.ts';
import { TokenReviews } from './token-reviews.ts';

export interface VolumesParts {
  client: KubeClient;
  /** Opens on demand: the reconciler. */
  reader: Reader;
  audit: AuditLog;
  cluster: string;
  /** Whether every source was looked at in this run, and this process leads. Before that nothing is taken from pods or replaced. */
  isUpToDate(): boolean;
  /** How a request of a node plugin ended. */
  mounted(outcome: MountOutcome): void;
  log: Log;
}

/** The server that node plugins, and people in an emergency, ask for values. */
export interface Volumes {
  /** `https://HOST:PORT` as it came out. */
  readonly address: string;
  close(): Promise<void>;
}

/** Makes or finds the serving certificate and listens. Throws CofferError `SERVE_ADDRESS`. */
export async function openVolumes(
  { listen, names, namespaces }: VolumesSettings,
  { client, reader, audit, cluster, isUpToDate, mounted, log }: VolumesParts,
): Promise<Volumes> {
  const isConfigured = (namespace: string) => namespaces.some((pattern) => matches(pattern, namespace));
  const denials = new Denials(audit, cluster);
  const mount = new MountRoute({
    tokens: new TokenReviews(client, AUDIENCE),
    reader,
    denials,
    isConfigured,
    isUpToDate,
    answered: mounted,
  });
  const breakGlass = new BreakGlassRoute({ client, reader, denials });
  const server = await startServer({
    listen,
    routes: new Map<string, (asked: Asked) => Promise<Answer>>([
      [MOUNT_PATH, (asked) => mount.answer(asked)],
      [BREAK_GLASS_PATH, (asked) => breakGlass.answer(asked)],
    ]),
    refused: (error: CofferError) => log.failure(error),
    failed: (error) => log.thrown(error),
  });
  const renewal: ServingCertificateParts = {
    client,
    names: names ?? [`coffer-operator.${client.namespace}.svc`],
    now: () => new Date(),
    use: (certificate) => server.useCertificate(certificate),
    failed: (error) => log.failure(error),
  };
  const closing = new AbortController();
  const isServed = await serves(renewal, server);
  const renewing = keepRenewing(renewal, closing.signal, isServed);
  return {
    address: server.address,
    close: async () => {
      closing.abort();
      await server.close();
      await renewing;
    },
  };
}

/** Where the cluster is the reason that there is no certificate yet, all else goes on meanwhile. */
async function serves(renewal: ServingCertificateParts, server: VolumesServer): Promise<boolean> {
  try {
    await serveWithCertificate(renewal);
    return true;
  } catch (error) {
    if (error instanceof KubernetesError) {
      renewal.failed(error);
      return false;
    }
    await server.close();
    throw error;
  }
}
