/**
 * The whole path on one machine, with the real programs: seal, commit, serve, and two operators that project. Every
 * command is run as it is shown. Needs git; leaves nothing behind, however it ends.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { done, scene, showCommand, showOutput, tell } from './narrator.ts';
import { perform } from './perform.ts';
import { Stage } from './stage.ts';

/** Users that exist nowhere, so that as root each workload is somebody else. */
const USERS: Record<string, number> = { 'payments-api': 61_001, reports: 61_002 };
const isRoot = process.getuid?.() === 0;

interface Cluster {
  name: string;
  folder: string;
  projection: string;
  port: number;
}

const stage = new Stage();
const clone = join(stage.disk, 'secrets');

async function shell(
  line: string,
  { cwd = clone, expect = 0 }: { cwd?: string; expect?: number } = {},
): Promise<string> {
  showCommand(cwd === stage.disk ? '' : 'secrets ', line);
  const { code, output } = await stage.run(line, { cwd });
  showOutput(output);
  if (code !== expect) throw new Error(`ended with exit code ${code}, not ${expect}`);
  return output;
}

/** What a workload sees of a cluster's projection, asked as that workload where this process may. */
async function asWorkload(cluster: Cluster, workload: string, line: string): Promise<string> {
  const own = join(cluster.projection, 'payments', workload);
  showCommand(`${workload}@${cluster.name} …/payments/${workload} `, line);
  const { output } = await stage.run(`cd ${own} && ${line}`, {
    cwd: '/',
    uid: isRoot ? USERS[workload] : undefined,
  });
  showOutput(output);
  return output;
}

async function makeCluster(name: string): Promise<Cluster> {
  const folder = join(stage.disk, name);
  mkdirSync(folder);
  return { name, folder, projection: join(stage.memory, name), port: await stage.freePort() };
}

function configure(cluster: Cluster, url: string): void {
  const workloads = Object.entries(USERS).map(
    ([name, user]) => `        - {name: payments/${name}${isRoot ? `, uid: ${user}, gid: ${user}` : ''}}`,
  );
  const lines = [
    'apiVersion: coffer.dev/v1',
    'kind: OperatorConfig',
    `cluster: ${cluster.name}`,
    `state: {directory: ${cluster.folder}/state}`,
    `pins: {file: ${cluster.folder}/pins}`,
    `keys: {directory: ${cluster.folder}/keys}`,
    'sources:',
    `  - git: {url: ${url}, branch: main, interval: 2s, allowHttp: true}`,
    'projections:',
    '  - directory:',
    `      path: ${cluster.projection}`,
    '      workloads:',
    ...workloads,
    `audit: {directory: ${cluster.folder}/audit}`,
    `serve: {listen: "127.0.0.1:${cluster.port}"}`,
  ];
  writeFileSync(join(cluster.folder, 'operator.yaml'), `${lines.join('\n')}\n`);
}

async function hasFailed(cluster: Cluster): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${cluster.port}/status`);
  return /"state": ?"failed"/.test(await response.text());
}

const projected = (cluster: Cluster, path: string) => join(cluster.projection, 'payments', path);

function holds(cluster: Cluster, path: string, value: string): boolean {
  const file = projected(cluster, path);
  return existsSync(file) && readFileSync(file, 'utf8') === value;
}

async function play(): Promise<void> {
  const production = await makeCluster('production');
  const staging = await makeCluster('staging');
  const clusters = [production, staging];

  scene('A repository, and a key for each cluster');
  tell(
    `The secret keys stay in the clusters' folders (here below ${stage.disk}). The repository gets the public keys.`,
  );
  await shell('git init --quiet --initial-branch=main secrets', { cwd: stage.disk });
  await shell('coffer init');
  await shell('coffer recipients create production --type cluster --key-dir ../production/keys');
  await shell('coffer recipients create staging --type cluster --key-dir ../staging/keys');

  scene('A secret for each, sealed on the way from the keyboard into the file');
  tell('payments-api may read everything, reports only the username. No secret key is needed to write.');
  for (const { name } of clusters) {
    await shell(
      `printf 'username=app\\npassword=${name}-pass\\n' | coffer new payments/payments-db --recipient ${name} ` +
        `--reader payments-api --reader reports=username --from-env-file /dev/stdin -o ${name}/payments-db.yaml`,
    );
  }
  await shell('sed -n 1,18p production/payments-db.yaml');
  await shell('coffer check');
  await shell("git add . && git commit --quiet --message 'Give payments its database' && git log --oneline");

  scene('A git server, and an operator in each cluster');
  const bare = join(stage.disk, 'served');
  mkdirSync(bare);
  const server = await stage.serve(bare);
  await shell('git clone --quiet --bare secrets served/secrets.git', { cwd: stage.disk });
  await shell(`git remote add origin ${server}/secrets.git && git fetch --quiet && git branch --quiet -u origin/main`);
  for (const cluster of clusters) {
    configure(cluster, `${server}/secrets.git`);
    await shell(`coffer recipients list ${cluster.name} --pins > ../${cluster.name}/pins`);
  }
  await shell('cat production/operator.yaml', { cwd: stage.disk });
  for (const { name, folder } of clusters) {
    showCommand('', `coffer-operator --config ${name}/operator.yaml &`);
    stage.start('coffer-operator', ['--config', join(folder, 'operator.yaml')], join(folder, 'operator.log'));
  }
  for (const cluster of clusters) {
    await stage.until(`${cluster.name}'s first projection`, () =>
      holds(cluster, 'payments-api/payments-db/password', `${cluster.name}-pass`),
    );
  }

  scene('What each workload can read, and what it cannot');
  if (!isRoot) tell('(As root, the demo gives each workload a user of its own. Now all of them are you.)');
  for (const cluster of clusters) {
    await asWorkload(cluster, 'payments-api', 'head -v */*');
    await asWorkload(cluster, 'reports', 'head -v */*');
  }
  if (isRoot)
    await asWorkload(production, 'reports', `cat ${projected(production, 'payments-api/payments-db/password')}`);
  tell("And staging's key does not open what is sealed to production:");
  await shell('coffer get production/payments-db.yaml password --key-dir ../staging/keys', { expect: 3 });

  scene('A change arrives');
  await shell("printf 'new-pass' | coffer set production/payments-db.yaml password");
  await shell('coffer diff');
  await shell("git commit --quiet --all --message 'Change the password' && git push --quiet");
  const pushed = performance.now();
  await shell(`curl --silent --request POST http://127.0.0.1:${production.port}/wake`);
  await stage.until('the new password', () => holds(production, 'payments-api/payments-db/password', 'new-pass'));
  done(`there after ${Math.round(performance.now() - pushed)} ms`);
  await asWorkload(production, 'payments-api', 'cat payments-db/password');

  scene('What somebody else removed comes back');
  const victim = projected(production, 'payments-api/payments-db');
  await shell(`rm -r ${victim}`);
  await stage.until('healing', () => holds(production, 'payments-api/payments-db/password', 'new-pass'));
  await asWorkload(production, 'payments-api', 'cat payments-db/password');

  scene('A broken manifest: the last good one stays');
  tell("Somebody copies the password's ciphertext over the username's. The pre-commit hook refuses; somebody insists.");
  await shell(
    `sed -i "s|^    username: .*|    username: $(grep -o 'CF.*' <(grep password: production/payments-db.yaml))|" ` +
      'production/payments-db.yaml',
  );
  await shell("git commit --quiet --all --message 'Oops'", { expect: 1 });
  await shell("git commit --quiet --all --message 'Oops' --no-verify && git push --quiet");
  await shell(`curl --silent --request POST http://127.0.0.1:${production.port}/wake`);
  await stage.until('the refusal', () => hasFailed(production));
  await asWorkload(production, 'payments-api', 'head -v */*');
  tell(
    'A ciphertext is bound to its entry, so it does not open there. The failure is where people look: in the status, in the metrics, in the log, and in the record.',
  );
  await shell(
    `curl --silent http://127.0.0.1:${production.port}/status | grep -E '"(state|code|message|advice|line)"'`,
  );
  await shell(`curl --silent http://127.0.0.1:${production.port}/metrics | grep -i 'coffer.*fail' | grep -v '^#'`);
  await shell(
    `tail -n 1 ../production/audit/journal | grep -oE '"(event|outcome|author|path|code)":("[^"]*"|{[^}]*})'`,
  );
  await shell('git revert --no-edit HEAD | head -1 && git push --quiet');
  await shell(`curl --silent --request POST http://127.0.0.1:${production.port}/wake`);
  await stage.until('recovery', async () => !(await hasFailed(production)));
  done('mended by a commit, as it was broken');

  scene('The end');
  const codes = await stage.stop();
  if (codes.some((code) => code !== 0)) throw new Error(`the operators ended with ${codes.join(' and ')}`);
  done('both operators ended cleanly; every file of the demo is removed');
}

await perform(stage, play);
