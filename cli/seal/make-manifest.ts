import { lstat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { isManifestPath, recipientsForPath } from '../../core/config/repository.ts';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import { CofferError } from '../../core/errors.ts';
import { placeFile } from '../../core/files/place-file.ts';
import { isSystemError } from '../../core/files/system-error.ts';
import { renderManifest } from '../../core/format/edit/new-manifest.ts';
import type { Reader } from '../../core/format/manifest/manifest.ts';
import { ENTRY, READER } from '../../schemas/grammar.ts';
import { parseReader } from '../input/reader-argument.ts';
import { checkSecretType, fullType, requireEntries } from '../input/secret-types.ts';
import { sealingKeysFor } from '../workspace/sealing-keys.ts';
import type { Workspace } from '../workspace/workspace.ts';

export interface WantedManifest {
  namespace: string;
  name: string;
  /** Undefined: those of the rules. */
  recipients: readonly string[] | undefined;
  /** `WORKLOAD[=ENTRY,…]` */
  readers: readonly string[];
  type: string | undefined;
  entries: ReadonlyMap<string, Buffer>;
  /** `-`: nowhere. Undefined: NAMESPACE/NAME.yaml at the root. */
  output: string | undefined;
}

export interface MadeManifest {
  text: string;
  /** As a person would type it from here; undefined where the text goes to standard output. */
  file: string | undefined;
  recipients: readonly string[];
  warnings: string[];
}

/** Seals a new manifest and writes it. Throws NEW_EXISTS, NEW_NO_RECIPIENTS, READER_ARGUMENT, SECRET_TYPE. */
export async function makeManifest(workspace: Workspace, wanted: WantedManifest): Promise<MadeManifest> {
  const { namespace, name, entries } = wanted;
  const path = wanted.output ?? join(workspace.root, namespace, `${name}.yaml`);
  const isWritten = path !== '-';
  if (isWritten) await refuseExisting(path);

  const type = wanted.type === undefined ? undefined : fullType(wanted.type);
  if (type !== undefined) requireEntries(type, entries);
  const warnings = type === undefined ? [] : checkSecretType(type, entries);
  const recipients = recipientsOf(workspace, wanted, isWritten ? workspace.pathOf(path) : `${namespace}/${name}.yaml`);
  const readers = readersOf(wanted.readers);
  if (readers.length === 0) warnings.push('no workload may read it yet: add one with coffer grant FILE READER');

  const keys = await sealingKeysFor(workspace, recipients);
  await sodiumReady();
  const text = renderManifest(
    { namespace, name, recipients, readers, entries, ...(type === undefined ? {} : { type }) },
    keys,
  );
  if (!isWritten) return { text, file: undefined, recipients, warnings };

  if (!isManifestPath(workspace.config, workspace.pathOf(path))) {
    warnings.push(
      `.coffer/config.yaml does not look for manifests at ${workspace.pathOf(path)}, so no operator will see it`,
    );
  }
  await placeFile(path, text);
  return { text, file: relative(process.cwd(), path), recipients, warnings };
}

async function refuseExisting(path: string): Promise<void> {
  try {
    await lstat(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return;
    throw error;
  }
  throw new CofferError('NEW_EXISTS', `${path} is there already; nothing was changed`, {
    advice: 'Change it with `coffer set`, or name another file with -o.',
    data: { path },
  });
}

/** Those that were named, or the rules'; what the repository requires comes to both. */
function recipientsOf(workspace: Workspace, wanted: WantedManifest, path: string): string[] {
  const chosen = wanted.recipients ?? recipientsForPath(workspace.config, path);
  if (chosen.length > 0) return [...new Set([...chosen, ...workspace.config.requiredRecipients])];
  throw new CofferError('NEW_NO_RECIPIENTS', `no rule in .coffer/config.yaml says who can open ${path}`, {
    advice: 'Name them with --recipient NAME, or add a rule.',
    data: { path },
    exit: 2,
  });
}

function readersOf(texts: readonly string[]): Reader[] {
  return texts.map((text) => {
    const { reader: name, entries } = parseReader(text);
    const isFine = new RegExp(READER).test(name) && (entries ?? []).every((entry) => new RegExp(ENTRY).test(entry));
    if (isFine) return entries === undefined ? { name } : { name, entries: new Set(entries) };
    throw new CofferError('READER_ARGUMENT', 'a reader has a name that no workload or entry may have', {
      advice: 'Write, for example, --reader payments-api=username,password.',
      exit: 2,
    });
  });
}
