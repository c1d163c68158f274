/** An operator that looks and pushes, until there is nothing left to push; it prints how the push ended. */
import { writeFileSync } from 'node:fs';
import { CofferError } from '../../core/errors.ts';
import { readProposalText } from '../../core/rotation/proposal.ts';
import { DirectoryKeyStore } from '../../operator/keys/directory-store.ts';
import { openPusher } from '../../operator/push/pusher.ts';
import { openGitSource } from '../../operator/source/open-git-source.ts';
import { CLUSTER, never } from './pushing.ts';

const [config = '', keyDirectory = '', stateDirectory = '', pidFile = '', proposal = ''] = process.argv.slice(2);
writeFileSync(pidFile, String(process.pid));
const git = JSON.parse(config);
const source = await openGitSource(git, stateDirectory);
const keys = new DirectoryKeyStore(keyDirectory, CLUSTER);
const log = { info: () => undefined };
const pusher = openPusher({ git, source, cluster: CLUSTER, keys, stateDirectory, now: () => new Date(), log });
const state = await source.poll(never);
if (state !== 'unchanged') await source.told(state);
try {
  const pushed = await pusher.push(readProposalText(proposal), 'Rotate', never);
  process.stdout.write(pushed === 'nothing' || !pushed.isNew ? 'done' : 'pushed');
} catch (error) {
  if (!(error instanceof CofferError)) throw error;
  process.stdout.write(error.code);
}
pusher.close();
await source.close();
