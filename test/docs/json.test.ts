import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, mock, test } from 'node:test';
import { Config } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.ts';
import { COMMANDS } from '../../cli/commands.ts';
import { packageOf } from '../../cli/start.ts';
import { openAuditLog } from '../../core/audit/open-log.ts';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import { readIdentity, readKeyDirectory } from '../../core/keys/key-directory.ts';
import { type RecipientKey, readRecipient } from '../../core/keys/recipient.ts';
import { sealRetiredSeed } from '../../core/keys/retired-key.ts';
import { Tamperer } from '../audit/tampering.ts';
import { Desk } from '../cli/desk.ts';
import { proposedRotation } from '../cli/proposed-rotation.ts';
import { SigningKey } from '../cli/signing.ts';
import { testSigner } from '../support/log-signer.ts';
import { DocumentedFields } from './json-page.ts';
import { ROOT } from './pages.ts';

/** Of what a real operator answers test/cli/status.test.ts holds the fields. */
const ELSEWHERE = /^(coffer status|active key): /;

const DB = 'apps/db.yaml';

const fields = new DocumentedFields();
const desk = new Desk();
const outside = { folder: process.cwd(), env: { ...process.env } };
let config: Config;
let printed: unknown;

// All in this process: to start it sixty times would take ten seconds more.
before(async () => {
  await sodiumReady();
  const { environment } = desk;
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, environment, { EDITOR: 'sed -i s/app/other/' });
  process.chdir(desk.folder);
  config = await Config.load({ root: join(ROOT, 'cli'), pjson: packageOf(import.meta), isRoot: true });
  mock.method(BaseCommand.prototype, 'logJson', (result: unknown) => {
    printed = JSON.parse(JSON.stringify(result));
  });
  mock.method(BaseCommand.prototype, 'warn', (text: string) => text);
});
after(() => {
  process.chdir(outside.folder);
  Object.assign(process.env, outside.env);
  desk.remove();
});

/** Runs a command line and holds what it prints to the page. @returns that, of which tests take texts */
async function coffer(line: string): Promise<Record<string, string>> {
  const words = line.split(' ');
  const topic = words.slice(0, 2).join(':');
  const id = topic in COMMANDS ? topic : (words[0] ?? '');
  printed = undefined;
  await COMMANDS[id]?.run([...words.slice(id === topic ? 2 : 1), '--json'], config);
  // Some answer no; it is the exit code of this process, too.
  process.exitCode = 0;
  fields.hold(id.replace(':', ' '), printed);
  return printed as Record<string, string>;
}

test('docs/json.md has every field of what each command prints with --json, its type, and no others', async () => {
  await makeRecipients();
  await changeManifests();
  await mergeBranches();
  await changeRecipients();
  await rotateKeys();
  await rotateValues();
  await lookBack();
  await readLogs();
  await useEjson();
  const commands = Object.keys(COMMANDS).map((id) => `coffer ${id.replace(':', ' ')}`);
  assert.deepEqual(fields.commands.toSorted(), commands.toSorted());
  assert.deepEqual(
    fields.unseen().filter((field) => !ELSEWHERE.test(field)),
    [],
  );
});

/** Each has a folder of keys, but alice, who sits at the desk. */
async function makeRecipients(): Promise<void> {
  await coffer('init --no-hook');
  await coffer('completion bash');
  for (const name of ['production', 'staging', 'east'])
    await coffer(`recipients create ${name} --type cluster --key-dir ../${name}`);
  await coffer('recipients create vault --type recovery --key-dir ../vault');
  await coffer('recipients create bob --type person --key-dir ../bob');
  await coffer('recipients create alice --type person');
  const { identity } = await coffer('recipients create team --type group --member alice');
  await coffer(`recipients pin alice --identity ${identity}`);
  await coffer('recipients signer production');
  await coffer('recipients enroll east --from-file .coffer/recipients/east.yaml');
  await coffer('completion --list recipients');
}

async function changeManifests(): Promise<void> {
  desk.write('../env', 'password=one\nuser=app\n');
  await coffer('new payments/shown --recipient team -o -');
  const to = ['production', 'team', 'alice'].map((name) => `--recipient ${name}`).join(' ');
  await coffer(`new payments/db ${to} --reader api --from-env-file ../env -o ${DB}`);
  desk.commit('Begin');
  desk.git('checkout', '--quiet', '-b', 'other');
  await coffer(`set ${DB} token --generate hex`);
  await coffer(`set ${DB} password --generate hex`);
  const rotation = 'token: {generate: {kind: hex}, keepPrevious: 24h, every: 1d}, user: {every: 1d}';
  desk.edit(DB, '  data:\n', `  rotation: {${rotation}}\n  data:\n    plain: "text"\n`);
  // What cannot be read is among the errors of those that go over all manifests.
  desk.write('broken.yaml', 'apiVersion: coffer.dev/v1\nkind: EncryptedSecret\nmetadata: {name: broken}\n');
  await coffer('check');
  await coffer('diff --reveal');
  await coffer(`diff --textconv ${DB}`);
  await coffer(`encrypt ${DB} absent.yaml`);
  await coffer(`get ${DB} token`);
  await coffer(`decrypt ${DB}`);
  await coffer(`decrypt ${DB} --output ../opened.yaml`);
  await coffer(`edit ${DB}`);
  await coffer(`grant ${DB} web`);
  await coffer(`grant ${DB} jobs=token`);
  await coffer(`revoke ${DB} web=token`);
  await coffer(`revoke ${DB} jobs`);
  await coffer(`unset ${DB} plain`);
  await coffer(`compact ${DB} absent.yaml`);
  await coffer(`rewrap ${DB} absent.yaml --add bob`);
  await coffer(`rewrap ${DB} --remove bob`);
  desk.commit('Change it');
}

async function mergeBranches(): Promise<void> {
  desk.git('checkout', '--quiet', 'main');
  desk.git('config', 'merge.coffer.driver', 'git merge-file %A %O %B');
  await coffer(`set ${DB} password --generate hex`);
  desk.commit('Change it otherwise');
  desk.run('git', ['merge', '--quiet', 'other']);
  await coffer(`resolve ${DB} absent.yaml`);
  desk.git('merge', '--abort');
  for (const revision of ['main~1', 'main', 'other'])
    desk.write(`../${revision}`, desk.git('show', `${revision}:${DB}`));
  await coffer(`resolve --driver ../main~1 ../main ../other ${DB}`);
  desk.git('checkout', '--quiet', 'other');
}

async function changeRecipients(): Promise<void> {
  await coffer('recipients join team bob');
  await coffer('recipients add staging --like production --key-dir ../bob');
  await coffer('recipients add staging --like team');
  await coffer('recipients replace staging east');
  await coffer('recipients remove east');
  desk.git('clone', '--quiet', '--depth', '1', `file://${desk.folder}`, '../part');
  process.chdir('../part');
  await coffer('recipients leave team bob --no-commit');
  await coffer('exposure --partial');
  process.chdir(desk.folder);
  await coffer('recipients leave team bob');
  await coffer('recipients list');
}

async function rotateKeys(): Promise<void> {
  const { kid } = keyOf('production');
  await coffer('recipients rotate production --key-dir ../nobody');
  const file = await proposedRotation(desk, [DB], (proposal) => {
    return { ...proposal, fulfils: proposal.fulfils.filter((id) => id.startsWith('rotate-')) };
  });
  await coffer(`recipients rewrap production --from-file ${file} --dry-run`);
  await coffer(`recipients rewrap production --from-file ${file}`);
  desk.git('branch', 'former', 'HEAD~1');
  await coffer(`recipients retire ${kid}`);
  await coffer('recipients rotate alice --revoke');
  const { keys } = await readKeyDirectory(join(desk.home, 'production'));
  const seed = keys.get(kid)?.seed ?? assert.fail(kid);
  const vault = sealRetiredSeed(seed, { recipient: 'production', kid }, { recipient: 'vault', ...keyOf('vault') });
  desk.write('../kept.json', JSON.stringify({ recipient: 'production', key: kid, seed: { vault } }));
  await coffer(`recipients restore ${kid} --from-file ../kept.json --key-dir ../vault --to ../back`);
}

async function rotateValues(): Promise<void> {
  await coffer(`rotate ${DB} token`);
  await coffer(`rotate ${DB} token --drop-previous`);
  await coffer('rotate --due --dry-run');
  desk.edit('.coffer/config.yaml', /^( +)repository:/m, '$1rotatingCluster: production\n$1repository:');
  await coffer('rotate --collect --from-file ../none.jsonl');
  desk.commit('Let production rotate');
}

async function lookBack(): Promise<void> {
  await coffer('exposure');
  // Backwards: then keys come back, which `diff` warns of.
  await coffer('diff HEAD main');
  desk.git('mv', DB, 'moved.yaml');
  await coffer('diff');
  mkdirSync('../trust');
  desk.write('../trust/allowed_signers', '');
  const spec = '{signers: {ssh: {allowedSigners: allowed_signers}}, grants: []}';
  desk.write(
    '../trust/policy.yaml',
    `apiVersion: coffer.dev/v1\nkind: TrustPolicy\nmetadata: {name: secrets}\nspec: ${spec}\n`,
  );
  await coffer('check --trust ../trust/policy.yaml --since main');
  new SigningKey(desk, 'ada').use();
  await coffer('endorse HEAD');
}

async function readLogs(): Promise<void> {
  const signer = testSigner(await readIdentity(join(desk.home, 'production'), 'production'));
  const path = join(desk.home, 'log');
  const now = () => new Date();
  const log = await openAuditLog(path, { cluster: 'production', now, signer, reserve: 4096 });
  await log.append([{ event: 'secret.outcome', namespace: 'payments', name: 'db', outcome: 'written' }]);
  await log.close();
  await coffer('audit show --log ../log');
  await coffer('audit prove 1 --log ../log -o ../proof');
  await coffer('audit verify --proof ../proof');
  await coffer('audit bundle --log ../log --from 2026-01-01 -o ../bundle');
  await coffer('audit verify --log ../bundle');
  const edited = Tamperer.copy(path, join(desk.home, 'edited'), 1);
  edited.entryTile(0, ([entry = Buffer.alloc(0)]) => [Tamperer.edited(entry)]);
  await coffer('audit verify --log ../edited');
}

async function useEjson(): Promise<void> {
  mkdirSync('../ejson');
  await coffer('ejson keygen');
  const { publicKey } = await coffer('ejson keygen --write --keydir ../ejson');
  desk.write('secrets.ejson', JSON.stringify({ _public_key: publicKey, password: 'one' }));
  await coffer('ejson encrypt secrets.ejson');
  await coffer('ejson decrypt secrets.ejson --keydir ../ejson -o ../opened.json');
}

function keyOf(name: string): RecipientKey {
  const file = `.coffer/recipients/${name}.yaml`;
  return readRecipient(Buffer.from(desk.read(file)), file).keys[0] ?? assert.fail(file);
}
