import { posix } from 'node:path';
import { CONFIG_PATH, configFrom, isIgnored, isManifestPath, type RepositoryConfig } from '../config/repository.ts';
import { sodiumReady } from '../crypto/sodium.ts';
import { CofferError } from '../errors.ts';
import { mayHoldCoffer } from '../format/document/document.ts';
import type { Manifest } from '../format/manifest/manifest.ts';
import { manifestProblems } from '../format/manifest/read-manifest.ts';
import { type Keyring, keyringFrom, RECIPIENTS_FOLDER } from '../keys/keyring.ts';
import { type Finding, findingOf, inOrder } from './finding.ts';
import { Copies } from './rules/copies.ts';
import { type EarlierFile, keyHistoryFindings, revokedNow } from './rules/key-history.ts';
import { kubernetesSecretFindings } from './rules/kubernetes-secrets.ts';
import { type Claim, claimOf, ownerFindings } from './rules/owners.ts';
import { plaintextFindings } from './rules/plaintext.ts';
import { readerFindings } from './rules/readers.ts';
import { configFindings, idleRecipientFindings, KEYRING_FOLDER, recipientFindings } from './rules/recipients.ts';
import { requestFindings } from './rules/requests.ts';
import { rotationFindings } from './rules/rotation.ts';
import { type Past, rotationAgeFindings } from './rules/rotation-ages.ts';
import { secretKeyFindings } from './rules/secret-keys.ts';
import { sizeFindings } from './rules/sizes.ts';
import { stanzaFindings } from './rules/stanzas.ts';
import { symlinkFindings } from './rules/symlinks.ts';
import { contents, type Tree, type TreeFile } from './tree.ts';

export interface CheckReport {
  /** In order of file and line. */
  findings: Finding[];
  /** How many were looked at. */
  files: number;
  manifests: number;
}

/**
 * Checks a repository without any secret key. Only files for which `isSubject` is true are reported on; of the others
 * just enough is read to see that no name has two owners. The keyring and the configuration are those of `tree`;
 * `earlier` are versions of the keyring's files that came before it; without `past`, nobody asks how old values are.
 */
export async function check(
  tree: Tree,
  isSubject: (path: string) => boolean = () => true,
  earlier: readonly EarlierFile[] = [],
  past?: Past,
): Promise<CheckReport> {
  // Key texts and ids are checked by their digests.
  await sodiumReady();
  const { config, findings: ofConfig } = await readConfig(tree);
  const keyring = await readKeyring(tree);
  const files = [...tree.files.values()].filter(({ path }) => !isIgnored(config, path));
  const subjects = files.filter(({ path }) => isSubject(path));
  const run = new Run(config, keyring, revokedNow(keyring, earlier));

  const plain = subjects.filter(({ kind }) => kind === 'file');
  for await (const { file, bytes } of contents(tree, plain)) await run.look(file.path, bytes);

  const others = files.filter(({ path, kind }) => kind === 'file' && !isSubject(path) && isManifestPath(config, path));
  const links = subjects.filter(({ path, kind }) => kind === 'symlink' && isManifestPath(config, path));
  // Claims of other files come first, so that the one reported is a subject.
  const owners = ownerFindings([...(await otherClaims(tree, others, run.claims, keyring)), ...run.claims]);
  const findings = [
    ...ofConfig,
    ...keyring.problems.map((problem) => findingOf(problem, KEYRING_FOLDER)),
    ...configFindings(config, keyring),
    ...keyHistoryFindings(keyring, earlier),
    ...run.findings,
    ...(past === undefined ? [] : await rotationAgeFindings(run.rotated, past)),
    ...idleRecipientFindings(keyring, run.recipients),
    ...owners.filter(({ data }) => isSubject(data.file)),
    ...(await symlinkFindings(tree, links)),
  ];
  return { findings: inOrder(findings), files: subjects.length, manifests: run.claims.length };
}

/** What is gathered from file to file. */
class Run {
  readonly findings: Finding[] = [];
  readonly claims: Claim[] = [];
  /** Manifests whose values or former values have their time. */
  readonly rotated: Manifest[] = [];
  /** Every recipient that a manifest or the configuration names. */
  readonly recipients: Set<string>;
  readonly #config: RepositoryConfig;
  readonly #keyring: Keyring;
  readonly #revokedNow: ReadonlySet<string>;
  readonly #copies = new Copies();

  constructor(config: RepositoryConfig, keyring: Keyring, revokedNow: ReadonlySet<string>) {
    this.#config = config;
    this.#keyring = keyring;
    this.#revokedNow = revokedNow;
    this.recipients = new Set([...config.requiredRecipients, ...config.rules.flatMap(({ recipients }) => recipients)]);
  }

  async look(path: string, bytes: Buffer): Promise<void> {
    this.findings.push(...secretKeyFindings(bytes, path), ...requestFindings(bytes, path));
    if (path.endsWith('.ejson')) {
      // Repositories without ejson files, which are most, do not load its cryptography.
      const { ejsonFindings } = await import('./rules/ejson.ts');
      this.findings.push(...ejsonFindings(bytes, path));
      return;
    }
    if (/\.(?:ya?ml|json)$/.test(path)) this.findings.push(...kubernetesSecretFindings(bytes, path));
    if (!isManifestPath(this.#config, path) || !mayHoldCoffer(bytes)) return;
    const { file, problems } = manifestProblems(bytes, path);
    this.findings.push(...problems.map((problem) => findingOf(problem, path)));
    for (const manifest of file?.manifests ?? []) this.#manifest(manifest, file?.text ?? '');
  }

  #manifest(manifest: Manifest, text: string): void {
    for (const recipient of manifest.recipients) this.recipients.add(recipient);
    this.claims.push(claimOf(manifest, this.#keyring));
    if (manifest.rotation.size > 0) this.rotated.push(manifest);
    this.findings.push(
      ...plaintextFindings(manifest),
      ...recipientFindings(manifest, this.#keyring, this.#config),
      ...stanzaFindings(manifest, this.#keyring, this.#revokedNow),
      ...readerFindings(manifest),
      ...rotationFindings(manifest, this.#keyring, this.#config),
      ...this.#copies.look(manifest),
      ...sizeFindings(manifest, text),
    );
  }
}

/** Claims of files that are not checked themselves. Who claims the same name has to spell it, so few need be parsed. */
async function otherClaims(tree: Tree, files: TreeFile[], claims: Claim[], keyring: Keyring): Promise<Claim[]> {
  const names = [...new Set(claims.map(({ name }) => name))];
  const found: Claim[] = [];
  if (names.length === 0) return found;
  // Past some number of names the search costs more than parsing.
  const mayClaim = (bytes: Buffer) => names.length > 100 || names.some((name) => bytes.includes(name));
  for await (const { file, bytes } of contents(tree, files)) {
    if (!mayHoldCoffer(bytes) || !mayClaim(bytes)) continue;
    const manifests = manifestProblems(bytes, file.path).file?.manifests ?? [];
    found.push(...manifests.map((manifest) => claimOf(manifest, keyring)));
  }
  return found;
}

/** A configuration that cannot be read is a finding; the rest is then checked with the usual globs and no rules. */
async function readConfig(tree: Tree): Promise<{ config: RepositoryConfig; findings: Finding[] }> {
  const [file] = await readPaths(tree, [CONFIG_PATH]);
  if (file === undefined) {
    throw new CofferError('REPOSITORY_NOT_FOUND', `there is no ${CONFIG_PATH}`, {
      advice: 'Run `coffer init` at the root of the repository, and `git add .coffer`.',
    });
  }
  try {
    return { config: configFrom(file.bytes, CONFIG_PATH), findings: [] };
  } catch (error) {
    if (!(error instanceof CofferError)) throw error;
    const config = { repository: '', rules: [], include: [], ignore: [], requiredRecipients: [] };
    return { config, findings: [findingOf(error, CONFIG_PATH)] };
  }
}

async function readKeyring(tree: Tree): Promise<Keyring> {
  // As those who seal and open: the files of the folder itself, of which each name is there once.
  const paths = [...tree.files.keys()].filter((path) => posix.dirname(path) === RECIPIENTS_FOLDER);
  return keyringFrom(await readPaths(tree, paths));
}

async function readPaths(tree: Tree, paths: string[]): Promise<{ path: string; bytes: Buffer }[]> {
  const files = paths.flatMap((path) => tree.files.get(path) ?? []);
  const read = await tree.read(files);
  return files.flatMap(({ path }, index) => {
    const bytes = read[index];
    return bytes === undefined ? [] : [{ path, bytes }];
  });
}
