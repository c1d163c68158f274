import { type TestContext, test } from 'node:test';
import { RESOURCES } from '../../operator/kubernetes/resource.ts';
import { READERS_NAME, type SecretReaders } from '../../operator/project/readers/namespace-readers.ts';
import { openReaders } from '../../operator/project/readers/readers.ts';
import { newNamespace, sharedCluster } from '../cluster/shared.ts';
import { connectTo } from './scene/connect.ts';
import { Onlooker } from './scene/onlooker.ts';
import { type Race, racedClient } from './scene/raced-client.ts';
import { wanted } from './scene/wanted-secret.ts';

const resource = RESOURCES.secretReaders;
const secretsOf = (object: SecretReaders | 'gone' | undefined) =>
  object === undefined || object === 'gone' ? 'none' : JSON.stringify(object.spec.secrets);

/** What is told of readers by an operator that others come between, whose watch is always faster than the answers to its writes. */
async function scene(t: TestContext) {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return undefined;
  const namespace = await newNamespace(t, cluster, 'readers');
  const client = await connectTo(t, cluster.kubeconfig);
  const objects = await Onlooker.open<SecretReaders>(t, client, resource, namespace);
  const name = { namespace, name: READERS_NAME };
  const others = {
    say: (secrets: Record<string, readonly string[] | null>) =>
      client.patch(resource, name, { spec: { secrets } }, { type: 'merge' }),
    remove: () => client.delete(resource, name),
    make: (secrets: Record<string, readonly string[]>) =>
      client.create(resource, { apiVersion: 'coffer.dev/v1', kind: resource.kind, metadata: name, spec: { secrets } }),
  };
  const run = async (race: Omit<Race<SecretReaders>, 'resource'>) => {
    const end = new AbortController();
    const raced = racedClient<SecretReaders>(client, { resource, ...race });
    const readers = openReaders({ client: raced, namespaces: [namespace], events: { emit() {} }, settle: 0 });
    const running = readers.run(end.signal);
    t.after(async () => {
      end.abort();
      await running;
    });
    await readers.synced;
    return readers;
  };
  /** Resolves when all that was ever there, one after the other, is this; changes of the status do not count. */
  const sees = (...expected: string[]) => {
    const seen = () => objects.history.map(({ object }) => secretsOf(object));
    const isAll = () =>
      seen()
        .filter((one, at, all) => one !== all[at - 1])
        .join() === expected.join();
    return objects.until(READERS_NAME, isAll, expected.join(', then '));
  };
  return { namespace, others, run, sees };
}

type Others = NonNullable<Awaited<ReturnType<typeof scene>>>['others'];

const OURS = '{"db":["api"]}';
const THEIRS = '{"db":["*"]}';
const theirs = { db: ['*'] };
const RACES: Record<string, [between: (others: Others) => Promise<unknown>, ...told: string[]]> = {
  'are edited': [(others) => others.say(theirs), THEIRS],
  'are deleted': [(others) => others.remove(), 'none'],
  'are deleted and made anew as others': [
    async (others) => {
      await others.remove();
      await others.make(theirs);
    },
    ...['none', THEIRS],
  ],
};

for (const [what, [between, ...told]] of Object.entries(RACES)) {
  test(`readers that ${what} are put back, although that was seen before the answer to the write before it`, async (t) => {
    const at = await scene(t);
    if (at === undefined) return;
    const { namespace, others, run, sees } = at;
    const readers = await run({
      between: () => between(others),
      isTold: (object) => secretsOf(object) === told.at(-1),
    });
    await readers.prepare([wanted('db', [namespace], [{ name: 'api' }])]);
    await sees(OURS, ...told, OURS);
  });
}

test('a change of readers that is set back is made again, although that was seen before the answer to it', async (t) => {
  const at = await scene(t);
  if (at === undefined) return;
  const { namespace, others, run, sees } = at;
  await others.make(theirs);
  // The operator takes it over as it was, and so sees what an earlier run wrote.
  const readers = await run({
    between: () => others.say(theirs),
    isTold: (object) => secretsOf(object) === THEIRS,
  });
  await readers.prepare([wanted('db', [namespace], [{ name: 'api' }])]);
  await sees(THEIRS, OURS, THEIRS, OURS);
});

test('what others make in the place of readers that are taken away is taken away as well, although it was seen before the answer', async (t) => {
  const at = await scene(t);
  if (at === undefined) return;
  const { namespace, others, run, sees } = at;
  const readers = await run({
    by: 'delete',
    between: () => others.make(theirs),
    isTold: (object) => secretsOf(object) === THEIRS,
  });
  await readers.prepare([wanted('db', [namespace], [{ name: 'api' }])]);
  await readers.forget([{ namespace, name: 'db' }]);
  await sees(OURS, 'none', THEIRS, 'none');
});
