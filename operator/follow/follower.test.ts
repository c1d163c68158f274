import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { CofferError } from '../../core/errors.ts';
import { eventually } from '../../test/operator/site.ts';
import { Stage } from '../../test/operator/stage.ts';
import type { OperatorSettings } from '../config/settings.ts';
import { Closing } from '../process/closing.ts';
import type { Log } from '../process/log.ts';
import { openFront, prepareFront } from '../serve/front.ts';
import { Follower, type Pipeline } from './follower.ts';
import { lookOnce } from './look-once.ts';

const SECRET = { namespace: 'payments', name: 'db', data: { a: 'one' } };

/** The rooms of a stage; of the settings only what the loops look at. */
function pipelineOf(
  { root }: Stage,
  { reconciler, projector, source }: Awaited<ReturnType<Stage['run']>>,
  log: Partial<Log>,
): Pipeline {
  const settings = {
    listen: { host: '127.0.0.1', port: 0 },
    audit: { directory: '/nonexistent', stdout: false },
    sources: [{ git: { url: source.address }, interval: 5 }],
    heal: 60_000,
    stateDirectory: root,
  } as Pick<OperatorSettings, 'listen' | 'audit' | 'sources' | 'heal' | 'stateDirectory'> as OperatorSettings;
  const silent: Log = { info: () => {}, warn: () => {}, failure: () => {}, thrown: () => {} };
  const rooms = { sources: [source], projectors: [projector], reconciler, chores: [], sharedTroubles: () => [] };
  return { settings, ...rooms, log: { ...silent, ...log } };
}

test('the operator is ready once a state is projected, also where the first try failed', async (t) => {
  const stage = await Stage.open(t);
  await stage.tree.commit({ 'db.yaml': stage.manifest(SECRET) });
  let failures = 1;
  const run = await stage.run({
    audit: (log) => ({
      append: async (records) => {
        if (failures-- > 0) throw new CofferError('AUDIT_UNWRITABLE', 'full', { advice: 'Wait.', loop: 'retry' });
        await log.append(records);
      },
      close: () => log.close(),
    }),
  });
  const listening = Promise.withResolvers<string>();
  const pipeline = pipelineOf(stage, run, {
    info: (_message, fields) => fields?.address !== undefined && listening.resolve(fields.address),
  });
  const ending = new AbortController();
  t.after(() => ending.abort());
  const closing = new Closing();
  t.after(() => closing.close());
  const front = prepareFront('0');
  front.health.phase = 'leading';
  await openFront(front, pipeline.settings, pipeline.log, closing);
  const follower = new Follower(pipeline, front);
  await follower.bringBack(ending.signal);
  const followed = follower.follow(ending.signal, () => {});
  const address = await listening.promise;
  while ((await stage.read('payments/api', 'db', 'a')) === undefined) await setTimeout(5);
  await eventually(async () => assert.equal(await fetchReady(address), 200));
  ending.abort();
  await followed;
});

test('a look that a signal ends is no fault of ours', async (t) => {
  const stage = await Stage.open(t);
  await stage.tree.commit({ 'db.yaml': stage.manifest(SECRET) });
  const run = await stage.run({ source: { url: 'http://127.0.0.1:9/x.git', allowHttp: true } });
  assert.equal(await lookOnce(pipelineOf(stage, run, {}), AbortSignal.abort()), false);
});

async function fetchReady(address: string): Promise<number | undefined> {
  // On a connection of its own: one that was kept may be closed just then.
  const asked = request(new URL('/readyz', address), { agent: false }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode;
}

test('where objects are the only source, what failed is tried again all the same', async (t) => {
  const stage = await Stage.open(t);
  const run = await stage.run();
  const retried = Promise.withResolvers<void>();
  run.reconciler.retry = async () => retried.resolve();
  const follower = new Follower({ ...pipelineOf(stage, run, {}), sources: [] }, prepareFront('0'));
  const ending = new AbortController();
  const followed = follower.follow(ending.signal, (wake) => wake());
  await retried.promise;
  ending.abort();
  await followed;
});
