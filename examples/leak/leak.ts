/**
 * A key is stolen: from the theft to "exposed: 0", with the real programs, and with a record that somebody else's code verifies at
 * every step. Needs git and ssh-keygen, and go for the second verifier; leaves nothing behind, however it ends.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { done, scene, showCommand, showOutput, tell } from '../demo/narrator.ts';
import { perform } from '../demo/perform.ts';
import { Stage } from '../demo/stage.ts';
import { Auditor } from './auditor.ts';
import { type Cluster, configure, keysOf, makeCluster, POLICY } from './cast.ts';

const stage = new Stage();
const clone = join(stage.disk, 'secrets');
const PASSWORD = 'payments-api/payments-db/password';
const TOKEN = 'payments-api/supplier/token';

async function shell(
  line: string,
  { cwd = clone, expect = 0, who = '' }: { cwd?: string; expect?: number; who?: string } = {},
): Promise<string> {
  showCommand(who !== '' ? `${who} ` : cwd === stage.disk ? '' : 'secrets ', line);
  const { code, output } = await stage.run(line, { cwd });
  showOutput(output, 40);
  if (code !== expect) throw new Error(`ended with exit code ${code}, not ${expect}`);
  return output;
}

const projected = ({ projection }: Cluster, path: string) => join(projection, 'payments', path);

function projectedValue(cluster: Cluster, path: string): string {
  const file = projected(cluster, path);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

async function wake({ port }: Cluster): Promise<void> {
  await fetch(`http://127.0.0.1:${port}/wake`, { method: 'POST' });
}

/** On a busy machine, too. */
function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  return stage.until(what, holds, 90_000);
}

/** Dana pushes, and the operators look. */
async function push(clusters: readonly Cluster[]): Promise<void> {
  await shell('git push --quiet');
  for (const cluster of clusters) await wake(cluster);
}

async function begin(clusters: readonly Cluster[]): Promise<void> {
  scene('Secrets in git, and an operator in each of two clusters');
  tell(
    'production may push what it rotates, in commits that its identity signs; staging only publishes it. Both take commits of those whom a policy names.',
  );
  await shell("ssh-keygen -q -t ed25519 -N '' -C dana@example.com -f dana", { cwd: stage.disk });
  await shell('git init --quiet --initial-branch=main secrets', { cwd: stage.disk });
  await stage.run(
    'git config gpg.format ssh && git config user.signingKey ../dana && git config commit.gpgSign true && git config pull.rebase true',
    { cwd: clone },
  );
  await shell('coffer init');
  for (const { name } of clusters) {
    await shell(`coffer recipients create ${name} --type cluster --key-dir ../${name}/keys`);
  }
  await shell(
    "sed -i 's/^spec:/spec:\\n  rotatingCluster: production/' .coffer/config.yaml && grep -A1 '^spec' .coffer/config.yaml",
  );
  const newSecret = 'coffer new payments/payments-db --reader payments-api --from-env-file /dev/stdin';
  for (const { name } of clusters) {
    await shell(`printf 'password=${name}-pass\\n' | ${newSecret} --recipient ${name} -o ${name}/payments-db.yaml`);
  }
  await shell(
    "printf 'token=supplier-4711\\n' | coffer new payments/supplier --reader payments-api --from-env-file /dev/stdin " +
      '--recipient production -o production/supplier.yaml',
  );
  tell('The password is made by machines, every 30 days. The token comes from a supplier: people set it.');
  await shell(
    "sed -i 's/^  keys:/  rotation:\\n    password: {every: 30d, generate: {kind: password}}\\n  keys:/' " +
      'production/payments-db.yaml && coffer check',
  );
  await shell("git add . && git commit --quiet --message 'Give payments its secrets'");
  await serve(clusters);
}

async function serve(clusters: readonly Cluster[]): Promise<void> {
  mkdirSync(join(stage.disk, 'served'));
  const url = `${await stage.serve(join(stage.disk, 'served'))}/secrets.git`;
  await shell('git clone --quiet --bare secrets served/secrets.git', { cwd: stage.disk });
  await stage.run(`git remote add origin ${url} && git fetch --quiet && git branch --quiet -u origin/main`, {
    cwd: clone,
  });
  const { output } = await stage.run('git rev-parse HEAD', { cwd: clone });
  writeFileSync(join(stage.disk, 'policy.yaml'), POLICY);
  await shell(
    'echo "dana@example.com $(cat ../dana.pub)" > ../signers && coffer recipients signer production >> ../signers && cat ../signers',
  );
  for (const cluster of clusters) {
    configure(cluster, url, output.trim());
    await shell(`coffer recipients list ${cluster.name} --pins > ../${cluster.name}/pins`);
  }
  await shell('cat production/operator.yaml', { cwd: stage.disk });
  for (const { name, folder } of clusters) {
    showCommand('', `coffer-operator --config ${name}/operator.yaml &`);
    stage.start('coffer-operator', ['--config', join(folder, 'operator.yaml')], join(folder, 'operator.log'));
  }
  for (const cluster of clusters) {
    await until(
      `${cluster.name}'s first projection`,
      () => projectedValue(cluster, PASSWORD) === `${cluster.name}-pass`,
    );
  }
  done('both project');
}

/** Returns the id of the stolen key. */
async function steal(): Promise<string> {
  scene('A laptop is stolen; on it, in a backup, production’s key');
  const [stolen] = keysOf(clone, 'production');
  if (stolen === undefined) throw new Error('production has no key');
  await shell(`mkdir thief && cp production/keys/${stolen.id}.key thief/ && git clone --quiet secrets thief/secrets`, {
    cwd: stage.disk,
    who: 'thief',
  });
  await shell('coffer get production/payments-db.yaml password --key-dir .. --as production', {
    cwd: join(stage.disk, 'thief', 'secrets'),
    who: 'thief',
  });
  return stolen.id;
}

async function revoke(clusters: readonly Cluster[], stolen: string): Promise<void> {
  const [production] = clusters;
  if (production === undefined) throw new Error('no cluster');
  scene('One command, one commit: revoked');
  await shell("coffer recipients rotate production --revoke --reason 'INC-4711: backup on a stolen laptop'");
  await shell('printf x | coffer set production/supplier.yaml token', { expect: 3 });
  tell('Nobody seals to production until it has another key. What could the stolen one ever open?');
  await shell(`coffer exposure --key ${stolen}`);
  await shell('coffer check --exposed', { expect: 1 });
  const began = performance.now();
  await push(clusters);
  scene('The operator makes a new key, seals everything of its own to it, and pushes');
  await until('the new key in git', async () => {
    const { output } = await stage.run('git fetch --quiet && git show origin/main:.coffer/recipients/production.yaml', {
      cwd: clone,
    });
    return /status: active/.test(output);
  });
  done(`in git after ${Math.round(performance.now() - began)} ms`);
  await shell('git pull --quiet && git -c gpg.ssh.allowedSignersFile=../signers log --format="%h %G? %GS: %s" -6');
  await shell('coffer recipients list production');
}

async function play(): Promise<void> {
  const clusters = [await makeCluster(stage, 'production', true), await makeCluster(stage, 'staging', false)];
  const [production, staging] = clusters as [Cluster, Cluster];
  const auditor = await Auditor.open(stage, shell);

  await begin(clusters);
  await auditor.agrees(production);
  const stolen = await steal();
  await revoke(clusters, stolen);
  await auditor.agrees(production);

  scene('A new key is not enough: who has the old one can read what it could read');
  await shell('git pull --quiet origin main; coffer get production/supplier.yaml token --key-dir .. --as production', {
    cwd: join(stage.disk, 'thief', 'secrets'),
    who: 'thief',
    expect: 3,
  });
  await shell(
    'git checkout --quiet main@{1} && coffer get production/supplier.yaml token --key-dir .. --as production',
    {
      cwd: join(stage.disk, 'thief', 'secrets'),
      who: 'thief',
    },
  );
  tell(
    'So values have to change. What machines make is due at once: the operator has made a new password already, or is about to.',
  );
  await until('the new password', () => !['', 'production-pass'].includes(projectedValue(production, PASSWORD)));
  done('a new password is in git, and in front of payments-api');
  await shell('git pull --quiet && git log --format="%h %an: %s" -3');

  scene('Sealing the old value again changes nothing');
  await shell("printf 'supplier-4711' | coffer set production/supplier.yaml token");
  await shell("git commit --quiet --all --message 'Set the token again'");
  await push(clusters);
  await until('a comparison that finds the same', () => auditor.says(production, '"outcome":"same"'));
  await auditor.settled(production);
  await shell(`coffer exposure --key ${stolen} --log ../production/audit`);
  await auditor.agrees(production);

  scene('The supplier gives out a new token');
  await shell("printf 'supplier-0815' | coffer set production/supplier.yaml token");
  await shell("git commit --quiet --all --message 'Set the new token of the supplier'");
  await push(clusters);
  await until('the new token', () => projectedValue(production, TOKEN) === 'supplier-0815');
  await until('no exposed value', async () => {
    const { output } = await stage.run(`coffer exposure --key ${stolen} --log ../production/audit --json`, {
      cwd: clone,
    });
    return JSON.parse(output).exposed === 0;
  });
  await shell(`coffer exposure --key ${stolen} --log ../production/audit`);
  await shell('coffer check --exposed --log ../production/audit');
  await auditor.agrees(production);

  scene('staging gets a new key too; its operator may not push, so a person collects');
  await shell('coffer recipients rotate staging');
  await push(clusters);
  const proposal = join(staging.folder, 'state', 'proposals', 'rewrap-staging.jsonl');
  await until('what staging proposes', () => existsSync(proposal));
  await shell('coffer recipients rewrap staging --from-file ../staging/state/proposals/rewrap-staging.jsonl');
  await shell('git show --stat --format=%s HEAD');
  await push(clusters);
  await auditor.agrees(staging);

  scene('What the auditor takes home');
  await auditor.takesHome(clusters, stolen);

  scene('The end');
  const codes = await stage.stop();
  if (codes.some((code) => code !== 0)) throw new Error(`the operators ended with ${codes.join(' and ')}`);
  done('exposed: 0. Both operators ended cleanly; every file of the demo is removed');
}

await perform(stage, play);
