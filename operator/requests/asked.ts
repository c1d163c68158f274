import { setImmediate } from 'node:timers/promises';
import { isManifestPath, type RepositoryConfig } from '../../core/config/repository.ts';
import { CofferError } from '../../core/errors.ts';
import type { Manifest } from '../../core/format/manifest/manifest.ts';
import { manifestProblems } from '../../core/format/manifest/read-manifest.ts';
import { changesBetween } from '../../core/git/trees/changes.ts';
import { isFile } from '../../core/git/trees/tree.ts';
import type { Keyring } from '../../core/keys/keyring.ts';
import {
  isRequestPath,
  type JoinRequest,
  REQUESTS_FOLDER,
  type RetireRequest,
  type RotateRequest,
  readRequest,
} from '../../core/requests/request.ts';
import { readRepositorySettings } from '../source/repository-settings.ts';
import type { Accepted, Source } from '../source/source.ts';

/** What an accepted state asks of one cluster's operator. */
export interface Asked {
  source: Source;
  state: Accepted;
  keyring: Keyring;
  config: RepositoryConfig;
  requests: JoinRequest[];
  /** For a new key of its own. */
  rotations: RotateRequest[];
  /** For the end of a key of its own. */
  retirements: RetireRequest[];
  /** Files of requests that cannot be read. */
  problems: CofferError[];
}

/** After so many files the event loop gets its turn. */
const TURN = 64;

/** What each source has accepted; undefined: of one of them that is not known yet. */
export async function acceptedStates(
  sources: readonly Source[],
): Promise<{ source: Source; state: Accepted }[] | undefined> {
  const states = [];
  for (const source of sources) {
    const state = await source.accepted();
    if (state === undefined) return undefined;
    states.push({ source, state });
  }
  return states;
}

export async function askedOf(source: Source, state: Accepted, cluster: string): Promise<Asked> {
  const { repository } = source;
  const requests: JoinRequest[] = [];
  const rotations: RotateRequest[] = [];
  const retirements: RetireRequest[] = [];
  const problems: CofferError[] = [];
  for await (const { path, after } of changesBetween(repository, null, state.tree, { under: REQUESTS_FOLDER })) {
    if (after === undefined || !isFile(after) || !isRequestPath(path)) continue;
    try {
      const request = readRequest(await repository.readBlob(after.oid), path);
      if (request.kind === 'join' && request.like === cluster) requests.push(request);
      else if (request.kind === 'rotate' && request.recipient === cluster) rotations.push(request);
      else if (request.kind === 'retire' && request.recipient === cluster) retirements.push(request);
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      problems.push(error.at({ source: source.id, commit: state.commit }));
    }
  }
  const { keyring, config } = await readRepositorySettings(repository, state.tree, new Map());
  return { source, state, keyring, config, requests, rotations, retirements, problems };
}

/** The manifests of a state that name all of these recipients; what cannot be read has its error elsewhere. */
export async function* manifestsNaming(
  { source, state, config }: Asked,
  recipients: readonly string[],
): AsyncGenerator<Manifest> {
  let turn = 0;
  for await (const { path, after } of changesBetween(source.repository, null, state.tree, { under: source.path })) {
    if (after === undefined || !isFile(after) || !isManifestPath(config, path)) continue;
    if (++turn % TURN === 0) await setImmediate();
    const bytes = await source.repository.readBlob(after.oid);
    if (!recipients.every((name) => bytes.includes(name))) continue;
    for (const manifest of manifestProblems(bytes, path).file?.manifests ?? []) {
      if (recipients.every((name) => manifest.recipients.includes(name))) yield manifest;
    }
  }
}
