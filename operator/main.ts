#!/usr/bin/env node
/**
 * coffer-operator. Data flows one way: source → reconcile → project. Each step is a folder of that name. The reconciler
 * also opens what is to be projected, with a record on disk before anything is opened and one after it was projected.
 */
import packageJson from '../package.json' with { type: 'json' };
import { HELP, parseArguments } from './arguments.ts';
import { Closing } from './closing.ts';
import { readSettings } from './config/read-settings.ts';
import type { OperatorSettings } from './config/settings.ts';
import { follow } from './follow.ts';
import type { Log } from './log.ts';
import { lookOnce } from './once.ts';
import { checkKeys, lockState, openProjectors, openReconcilerBetween, openRecord, openSources } from './pipeline.ts';
import { runProcess, type Signals } from './process.ts';
import { confirmCommit } from './source/confirmations.ts';

const { version } = packageJson;

await runProcess(async (log, signals) => {
  const request = parseArguments(process.argv.slice(2));
  if (request.do === 'help' || request.do === 'version') {
    process.stdout.write(request.do === 'help' ? HELP : `coffer-operator ${version}\n`);
    return 0;
  }
  const settings = await readSettings(request.config);
  if (request.do === 'confirm') {
    await confirmCommit(settings.stateDirectory, request.commit);
    return 0;
  }
  return await operate(settings, request.once, log, signals);
});

async function operate(settings: OperatorSettings, once: boolean, log: Log, signals: Signals): Promise<0 | 1> {
  const { cluster } = settings;
  const closing = new Closing();
  try {
    log.info('starting', { version, cluster });
    await checkKeys(settings);
    await lockState(settings, closing);

    const sources = await openSources(settings, closing);
    const projectors = await openProjectors(settings, process.env, closing);
    const audit = await openRecord(settings, closing);
    const reconciler = await openReconcilerBetween(
      { sources, projectors, audit, signal: signals.ended },
      settings,
      closing,
    );

    const pipeline = { settings, sources, projectors, reconciler, log };
    if (once) return (await lookOnce(pipeline, signals.ended)) ? 0 : 1;
    await follow(pipeline, { version, signal: signals.ended, onWake: signals.onHangUp });
    return 0;
  } finally {
    await closing.close();
    log.info('stopped');
  }
}
