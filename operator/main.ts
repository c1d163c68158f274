/**
 * coffer-operator. Data flows one way: source → reconcile → project. Each step is a folder of that name. The reconciler
 * also opens what is to be projected, with a record on disk before anything is opened and one after it was projected.
 * Beside that path stand the chores, what turns over among them: they look at what was accepted after every poll.
 */
import packageJson from '../package.json' with { type: 'json' };
import { HELP, parseArguments } from './arguments.ts';
import { openRecord } from './audit/open-record.ts';
import { openChores } from './chores.ts';
import { connectCluster, lead, watchCluster } from './cluster.ts';
import { Background } from './concurrency/background.ts';
import { readSettings } from './config/read-settings.ts';
import type { OperatorSettings } from './config/settings.ts';
import { Follower } from './follow/follower.ts';
import { lookOnce } from './follow/look-once.ts';
import {
  openFloors,
  openKeys,
  openProjectors,
  openReconcilerBetween,
  openSources,
  openVolumesServer,
  openWebhooksServer,
} from './pipeline.ts';
import { Closing } from './process/closing.ts';
import type { RecordingLog } from './process/log.ts';
import { runProcess, type Signals } from './process/run-process.ts';
import { lockState } from './process/state-lock.ts';
import { openFront, prepareFront, recordOn } from './serve/front.ts';
import { giveWord } from './words.ts';

const { version } = packageJson;

await runProcess(async (log, signals) => {
  const request = parseArguments(process.argv.slice(2));
  if (request.do === 'help' || request.do === 'version') {
    process.stdout.write(request.do === 'help' ? HELP : `coffer-operator ${version}\n`);
    return 0;
  }
  const settings = await readSettings(request.config);
  if (request.do !== 'run') {
    process.stdout.write(`${await giveWord(request, settings)}\n`);
    return 0;
  }
  return await operate({ settings, configFile: request.config, once: request.once }, log, signals);
});

interface Operation {
  settings: OperatorSettings;
  configFile: string;
  once: boolean;
}

async function operate({ settings, configFile, once }: Operation, log: RecordingLog, signals: Signals): Promise<0 | 1> {
  const closing = new Closing();
  const background = new Background(signals.ended);
  const { signal } = background;
  const front = prepareFront(version);
  const around = { background, ...front, log };
  try {
    log.info('starting', { version, cluster: settings.cluster });
    if (!once) await openFront(front, settings, log, closing);
    const connection = await connectCluster(settings, around, closing);
    closing.add(background, (loops) => loops.end());
    if (!(await lead(connection, around))) return 0;
    await lockState(settings.stateDirectory, closing);

    const keys = await openKeys(settings, connection?.client, log, closing);
    const floors = await openFloors(connection, settings, signal);
    const sources = await openSources(settings, floors, log, closing);
    const cluster = await watchCluster(connection, settings, background, closing);
    const projectors = await openProjectors(settings, process.env, { cluster, ...around }, closing);
    const about = { settings, configFile, version, keys, sources, client: cluster?.client, background, log };
    const record = await openRecord(about, closing);
    recordOn(front, record.log);
    const neighbours = { sources, projectors, audit: record.log, record, keys, cluster, signal };
    const reconciler = await openReconcilerBetween(neighbours, settings, closing);
    const wake = (source: string) => front.wake(source);
    const chores = openChores(neighbours, { settings, log, wake, reconciler }, closing);

    const sharedTroubles = () => cluster?.troubles.now() ?? [];
    const pipeline = { settings, sources, projectors, reconciler, chores, sharedTroubles, log };
    if (once) return (await lookOnce(pipeline, signal)) ? 0 : 1;
    const follower = new Follower(pipeline, front);
    await follower.bringBack(signal);
    const hasLooked = () => follower.isUpToDate();
    await openVolumesServer(neighbours, settings, { reader: reconciler, hasLooked, ...around }, closing);
    await openWebhooksServer(settings, sources, front, log, closing);
    await follower.follow(signal, signals.onHangUp);
    return 0;
  } catch (error) {
    // What waits for the cluster at start is broken off by the signal.
    if (signals.ended.aborted && error === signals.ended.reason) return 0;
    throw error;
  } finally {
    await closing.close();
    log.info('stopped');
  }
}
