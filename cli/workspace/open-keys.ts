import { sodiumReady } from '../../core/crypto/sodium.ts';
import { CofferError, nothingFor } from '../../core/errors.ts';
import { readKeyDirectory } from '../../core/keys/key-directory.ts';
import type { Keyring } from '../../core/keys/keyring.ts';
import { type Opener, openerFor } from '../../core/opening/opener.ts';
import { renderWarning } from '../output.ts';
import { keyDirectory } from './key-directory.ts';
import { openWorkspaceOf } from './workspace.ts';

export interface OpenerFlags {
  'key-dir'?: string | undefined;
  as?: string | undefined;
}

/** An opener with the user's secret keys; `close` wipes them. */
export interface OpenKeys {
  opener: Opener;
  close(): void;
}

/**
 * Reads the secret keys. `keyring` undefined: outside of a repository, where `--as` says whose keys they are. Throws
 * KEYS_NONE when there is no key at all.
 */
export async function openKeys(keyring: Keyring | undefined, flags: OpenerFlags): Promise<OpenKeys> {
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
  return { opener, close };
}

/** Undefined where there is no secret key at all: for what goes on without. */
export async function openKeysIfAny(keyring: Keyring, flags: OpenerFlags): Promise<OpenKeys | undefined> {
  return openKeys(keyring, flags).catch(nothingFor('KEYS_NONE'));
}

/** The keys to open this file with: as a recipient of its repository, or as `--as` says where it is in none. */
export async function openKeysFor(file: string, flags: OpenerFlags): Promise<OpenKeys> {
  return openKeys(await keyringOf(file), flags);
}

async function keyringOf(file: string): Promise<Keyring | undefined> {
  return (await openWorkspaceOf(file).catch(nothingFor('REPOSITORY_NOT_FOUND')))?.keyring;
}
