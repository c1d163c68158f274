/**
 * coffer-node, the node plugin of the CSI driver csi.coffer.dev. For each volume that kubelet asks for it asks the operator, with the
 * token of the pod that mounts, and shows what comes back as files on a tmpfs. It holds no key and no credentials of its own.
 */
import packageJson from '../../package.json' with { type: 'json' };
import { Closing } from '../process/closing.ts';
import type { Log } from '../process/log.ts';
import { runProcess } from '../process/run-process.ts';
import { HELP, type NodeSettings, parseArguments } from './arguments.ts';
import { listen } from './grpc.ts';
import { OperatorClient } from './operator-client.ts';
import { driverServices, registrationService } from './services.ts';
import { NodeVolumes } from './volumes.ts';

const { version } = packageJson;

await runProcess(async (log, signals) => {
  const request = parseArguments(process.argv.slice(2), process.env);
  if (request.do === 'run') await serve(request.settings, log, signals.ended);
  else process.stdout.write(request.do === 'help' ? HELP : `coffer-node ${version}\n`);
  return 0;
});

async function serve(settings: NodeSettings, log: Log, ended: AbortSignal): Promise<void> {
  const { socket, registrationSocket, node, operator: url, trustDirectory } = settings;
  const closing = new Closing();
  try {
    log.info('starting', { version, address: url });
    const operator = new OperatorClient({ url, trustDirectory });
    const volumes = closing.add(new NodeVolumes({ ...settings, operator, log }), (opened) => opened.close());
    await volumes.removeOrphans();
    const failed = (error: unknown) => log.thrown(error);
    closing.add(await listen(socket, driverServices(volumes, { version, node }), failed), (server) => server.close());
    // Kubelet calls the driver as soon as it sees this one.
    const registration = registrationService(socket, (message) => log.warn(`kubelet refused the driver: ${message}`));
    closing.add(await listen(registrationSocket, [registration], failed), (server) => server.close());
    log.info('serving', { address: socket });
    await new Promise<void>((resolve) => ended.addEventListener('abort', () => resolve(), { once: true }));
  } finally {
    await closing.close();
    log.info('stopped');
  }
}
