import { rm } from 'node:fs/promises';
import { orNothing } from '../../core/errors.ts';
import { readSigned } from '../../core/git/commits/signed-object.ts';
import { Signers } from '../../core/signatures/signers.ts';
import { ed25519Blob } from '../../core/signatures/ssh/sign-message.ts';
import { Clone } from '../source/clone/clone.ts';
import { COFFER_FOLDER, type GitSourceConfig } from '../source/open-git-source.ts';
import { parseAddress } from '../source/remote/address.ts';
import { openRemote } from '../source/remote/open-remote.ts';

export interface FoundCommit {
  git: GitSourceConfig;
  /** Without `refs/heads/`. */
  branch: string;
  /** Object id of what it is. */
  tip: string;
  /** Of the operator's identity. */
  publicKey: Buffer;
  /** A folder for the while. */
  folder: string;
  now: Date;
}

/**
 * Whether the newest commit of a branch bears the signature of this operator's identity: of another run, whose state directory is
 * lost, or that led on another host. What people put on it since has none. Throws what keeps it from being fetched.
 */
export async function isOwnCommit(found: FoundCommit, signal: AbortSignal): Promise<boolean> {
  const { git, branch, tip, folder } = found;
  const { url, path = '.', allowHttp = false } = git;
  const address = parseAddress(url, path, allowHttp);
  const { tag: _, ...followed } = git;
  const remote = openRemote({ ...followed, branch }, address, [COFFER_FOLDER, address.path]);
  await rm(folder, { recursive: true, force: true });
  const clone = await Clone.open(folder);
  try {
    const quarantine = await clone.quarantine();
    try {
      await remote.fetch(quarantine, { commit: tip, ref: `refs/heads/${branch}` }, { isWhole: false }, signal);
      quarantine.repository.objects.refresh();
      return await isSigned(quarantine.repository.readRaw(tip).bytes, found);
    } finally {
      await quarantine.discard();
    }
  } finally {
    clone.close();
    remote.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function isSigned(bytes: Buffer, { tip, publicKey, now }: FoundCommit): Promise<boolean> {
  const line = `identity namespaces="git" ssh-ed25519 ${ed25519Blob(publicKey).toString('base64')}\n`;
  const signers = await Signers.read({ ssh: { allowedSigners: { file: 'identity', bytes: Buffer.from(line) } } });
  const signed = orNothing(() => readSigned('commit', tip, bytes));
  return signed !== undefined && (await signers.verify(signed, now)).outcome === 'good';
}
