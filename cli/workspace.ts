import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { RepositoryConfig } from '../core/config/repository.ts';
import { CofferError } from '../core/errors.ts';
import type { ManifestFile } from '../core/format/manifest.ts';
import type { SealingKey } from '../core/format/stanza.ts';
import type { SecretKeys } from '../core/keys/key-directory.ts';
import type { Keyring } from '../core/keys/keyring.ts';
import type { Opener } from '../core/keys/opener.ts';
import type { Pins } from '../core/keys/pins.ts';
import type { Recipient } from '../core/keys/recipient.ts';
import { renderWarning } from './output.ts';

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
  const [{ findRoot, readConfig }, { readKeyring }, { readPinsFile, userPinsFile }, { sodiumReady }] =
    await Promise.all([
      import('../core/config/repository.ts'),
      import('../core/keys/keyring.ts'),
      import('../core/keys/pins.ts'),
      import('../core/format/sodium.ts'),
    ]);
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

/**
 * The keys that a value for these recipients is sealed to. An unpinned recipient is a question at a terminal, and an
 * error without one; a file of the keyring that is broken is told as that, not as an unknown recipient.
 */
export async function sealingKeysFor(workspace: Workspace, names: Iterable<string>): Promise<SealingKey[]> {
  const wanted = [...names];
  for (const name of wanted) refuseBroken(workspace.keyring, name);
  await confirmId(workspace);
  await confirmPins(workspace, wanted);
  const { sealingKeys } = await import('../core/keys/sealing-keys.ts');
  return sealingKeys(workspace.keyring, workspace.pins, wanted);
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

function refuseBroken(keyring: Keyring, name: string): void {
  if (keyring.recipients.has(name)) return;
  const problem = keyring.problems.find((candidate) => candidate.data.file?.endsWith(`recipients/${name}.yaml`));
  if (problem !== undefined) throw problem;
}

/**
 * Whose pins count here is said by an id that anybody can commit. Those of COFFER_PINS count whatever it says. Throws
 * REPOSITORY_ID_CHANGED.
 */
export async function confirmId({ root, config }: Workspace): Promise<void> {
  if (process.env.COFFER_PINS !== undefined) return;
  const { confirmRepository } = await import('./known-clone.ts');
  await confirmRepository(root, config.repository);
}

/** Asks for each identity that is not pinned yet. Without a terminal nothing is learnt: `sealingKeys` refuses. */
async function confirmPins(workspace: Workspace, names: readonly string[]): Promise<void> {
  const { canAsk } = await import('./prompt.ts');
  if (!canAsk()) return;
  const { checkPin } = await import('../core/keys/pins.ts');
  const { askToPin } = await import('./pinning.ts');
  for (const name of names) {
    const recipient = workspace.keyring.recipients.get(name);
    if (recipient === undefined) continue;
    const state = checkPin(workspace.pins, recipient);
    if (state !== 'pinned') await askToPin(workspace, recipient, state);
  }
}

/** Pins `recipient` in the file and in this workspace. */
export async function pin(workspace: Workspace, recipient: Recipient): Promise<void> {
  const [{ identityText }, { readPinsFile, writePin }] = await Promise.all([
    import('../core/keys/key-texts.ts'),
    import('../core/keys/pins.ts'),
  ]);
  await confirmId(workspace);
  await writePin(workspace.pinsFile, recipient.name, identityText(recipient.identity));
  workspace.pins = await readPinsFile(workspace.pinsFile);
}

/** `--key-dir`, else COFFER_KEY_DIR, else `keys` in the user's coffer configuration. */
export function keyDirectory(flag: string | undefined, env: NodeJS.ProcessEnv = process.env): string {
  const named = flag ?? env.COFFER_KEY_DIR;
  return named === undefined || named === '' ? join(configurationFolder(env), 'keys') : resolve(named);
}

/** `$XDG_CONFIG_HOME/coffer`, else `~/.config/coffer`. */
export function configurationFolder(env: NodeJS.ProcessEnv = process.env): string {
  const base = env.XDG_CONFIG_HOME;
  return join(base !== undefined && isAbsolute(base) ? base : join(homedir(), '.config'), 'coffer');
}

export interface OpenerFlags {
  'key-dir'?: string | undefined;
  as?: string | undefined;
}

/** An opener with the user's secret keys; `close` wipes them. */
export interface OpenKeys {
  opener: Opener;
  keys: SecretKeys;
  close(): void;
}

/**
 * Reads the secret keys. `keyring` undefined: outside of a repository, where `--as` says whose keys they are. Throws
 * KEYS_NONE when there is no key at all.
 */
export async function openKeys(keyring: Keyring | undefined, flags: OpenerFlags): Promise<OpenKeys> {
  const [{ readKeyDirectory }, { openerFor }, { sodiumReady }] = await Promise.all([
    import('../core/keys/key-directory.ts'),
    import('../core/keys/opener.ts'),
    import('../core/format/sodium.ts'),
  ]);
  await sodiumReady();
  const directory = keyDirectory(flags['key-dir']);
  const keys = await readKeyDirectory(directory);
  const [problem] = keys.problems;
  if (keys.keys.size === 0) {
    throw (
      problem ??
      new CofferError('KEYS_NONE', `there is no secret key in ${directory}`, {
        advice: 'Name the folder with --key-dir or COFFER_KEY_DIR, or make a key: `coffer recipients create`.',
        data: { path: directory },
      })
    );
  }
  for (const { message, advice } of keys.problems)
    process.stderr.write(renderWarning(`${message}. ${advice}`, process.stderr));
  if (keyring === undefined && flags.as === undefined) {
    throw new CofferError(
      'KEYS_OWNER_UNKNOWN',
      'the file is in no coffer repository, so nothing says whose keys these are',
      {
        advice: 'Say which recipient you are with --as RECIPIENT.',
        exit: 2,
      },
    );
  }
  const opener = openerFor(
    keyring ?? { recipients: new Map(), problems: [] },
    keys,
    flags.as === undefined ? {} : { as: flags.as },
  );
  const close = () => {
    opener.wipe();
    keys.wipe();
  };
  return { opener, keys, close };
}

/** The keys to open this file with: as a recipient of its repository, or as `--as` says where it is in none. */
export async function openKeysFor(file: string, flags: OpenerFlags): Promise<OpenKeys> {
  return openKeys(await keyringOf(file), flags);
}

async function keyringOf(file: string): Promise<Keyring | undefined> {
  try {
    return (await openWorkspaceOf(file)).keyring;
  } catch (error) {
    if (error instanceof CofferError && error.code === 'REPOSITORY_NOT_FOUND') return undefined;
    throw error;
  }
}

/** Reads a file as manifests; errors name it as it was typed. Throws MANIFEST_NONE when it holds none. */
export async function readManifests(file: string): Promise<ManifestFile> {
  const { readManifestFile } = await import('../core/format/read-manifest.ts');
  const read = readManifestFile(await readFile(file), file);
  if (read.manifests.length > 0) return read;
  throw new CofferError('MANIFEST_NONE', 'the file holds no EncryptedSecret', {
    advice: file.endsWith('.ejson')
      ? 'For ejson files there is `coffer ejson`.'
      : 'Name a manifest, or make one with `coffer new NAMESPACE/NAME`.',
    data: { file },
  });
}

/**
 * Replaces a file by `text`, after reading that as the operator would: an edit that does not hold together (a template
 * that names a removed entry) changes nothing. `file` is the path as it was typed.
 */
export async function writeManifests(file: string, text: string): Promise<void> {
  const [{ readManifestFile }, { writeFileAtomically }] = await Promise.all([
    import('../core/format/read-manifest.ts'),
    import('../core/files/atomic.ts'),
  ]);
  const bytes = Buffer.from(text);
  readManifestFile(bytes, file);
  await writeFileAtomically(file, bytes);
}
