import { dirname, relative, resolve, sep } from 'node:path';
import { findRoot, type RepositoryConfig, readConfig } from '../../core/config/repository.ts';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import { CofferError } from '../../core/errors.ts';
import { type Keyring, readKeyring } from '../../core/keys/keyring.ts';
import { type Pins, readPinsFile, userPinsFile } from '../../core/keys/pins.ts';
import type { Recipient } from '../../core/keys/recipient.ts';

/** The repository that a command works on: its configuration and keyring, and what this user trusts in it. */
export interface Workspace {
  root: string;
  config: RepositoryConfig;
  keyring: Keyring;
  /** Where pins are read and written: COFFER_PINS, else the user's configuration. */
  pinsFile: string;
  pins: Pins;
  /** The path from the root, with `/`: what rules, globs and git mean. */
  pathOf(file: string): string;
}

/** Opens the repository that holds `from` (a folder; absent: the working directory). Throws REPOSITORY_NOT_FOUND. */
export async function openWorkspace(from: string = process.cwd()): Promise<Workspace> {
  await sodiumReady();
  const root = await findRoot(resolve(from));
  const config = await readConfig(root);
  const keyring = await readKeyring(root);
  const pinsFile = process.env.COFFER_PINS ?? userPinsFile(process.env, config.repository);
  const pins = await readPinsFile(pinsFile);
  const pathOf = (file: string) => relative(root, resolve(file)).split(sep).join('/');
  return { root, config, keyring, pinsFile, pins, pathOf };
}

/** The repository that holds this file. */
export function openWorkspaceOf(file: string): Promise<Workspace> {
  return openWorkspace(dirname(resolve(file)));
}

/** The recipient of this name. Throws RECIPIENT_UNKNOWN, or what is wrong with its file. */
export function recipientOf(workspace: Workspace, name: string): Recipient {
  refuseBroken(workspace.keyring, name);
  const recipient = workspace.keyring.recipients.get(name);
  if (recipient !== undefined) return recipient;
  throw new CofferError('RECIPIENT_UNKNOWN', `the keyring has no recipient ${name}`, {
    advice: 'Run `coffer recipients list` to see who there is.',
    data: { recipient: name },
  });
}

/** A broken file of the keyring is reported as that, not as an unknown recipient. */
export function refuseBroken(keyring: Keyring, name: string): void {
  if (keyring.recipients.has(name)) return;
  const problem = keyring.problems.find((candidate) => candidate.data.file?.endsWith(`recipients/${name}.yaml`));
  if (problem !== undefined) throw problem;
}
