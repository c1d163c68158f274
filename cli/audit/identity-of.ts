import { sodiumReady } from '../../core/crypto/sodium.ts';
import { CofferError, nothingFor } from '../../core/errors.ts';
import { parseIdentity } from '../../core/keys/key-texts.ts';
import { openWorkspace, type Workspace } from '../workspace/workspace.ts';

/** Whom to believe: identities by cluster. What a log or a bundle says of it counts for nothing. */
export interface Identities {
  /** Throws CofferError `AUDIT_IDENTITY_UNKNOWN`. */
  of(cluster: string): Believed;
}

export interface Believed {
  /** 32 bytes. */
  key: Buffer;
  /** `coffer-identity-1-…` */
  text: string;
  /** Who says so, in plain words. */
  from: string;
}

/**
 * From `--identity` (`coffer-identity-1-…` for every log, or `CLUSTER=coffer-identity-1-…`), else from the pins of the repository that
 * one works in. Throws CofferError KEY_TEXT_*, PINS_*.
 */
export async function identitiesFrom(flags: readonly string[]): Promise<Identities> {
  await sodiumReady();
  const named = new Map<string, Believed>();
  for (const flag of flags) {
    const [cluster = '', text = ''] = flag.includes('=') ? flag.split('=') : ['', flag];
    named.set(cluster, { key: parseIdentity(text), text, from: 'as --identity says' });
  }
  const workspace = named.has('') ? undefined : await workspaceIfAny();
  return {
    of: (cluster) => {
      const identity = named.get(cluster) ?? named.get('') ?? pinned(workspace, cluster);
      if (identity !== undefined) return identity;
      throw new CofferError('AUDIT_IDENTITY_UNKNOWN', `Nothing says which identity signs the log of ${cluster}.`, {
        advice: `Run this in the repository whose keyring has ${cluster}, after you pinned it (coffer recipients pin ${cluster}), or give --identity coffer-identity-1-…, as its owner told you.`,
        data: { recipient: cluster },
      });
    },
  };
}

function pinned(workspace: Workspace | undefined, cluster: string): Believed | undefined {
  const text = workspace?.pins.identityOf(cluster);
  if (workspace === undefined || text === undefined) return undefined;
  return { key: parseIdentity(text), text, from: `which ${workspace.pinsFile} pins` };
}

async function workspaceIfAny(): Promise<Workspace | undefined> {
  return openWorkspace().catch(nothingFor('REPOSITORY_NOT_FOUND'));
}
