import { readFile } from 'node:fs/promises';
import { CofferError } from '../../core/errors.ts';
import type { Quarantine } from './clone.ts';
import { type CredentialFiles, readAuthorization } from './credentials.ts';
import { type Fault, sourceFault } from './faults.ts';
import { HttpClient } from './http-client.ts';
import { guardedFileSystem, LargeObject } from './pack-guard.ts';
import type { FetchOptions, Head, Remote } from './remote.ts';

export interface HttpRemoteOptions {
  /** https://, or http:// where that is allowed; without credentials and without a final slash. */
  url: string;
  branch: string;
  credentials: CredentialFiles;
  caFile?: string;
}

/** A repository on a server that speaks git's smart HTTP protocol, fetched through isomorphic-git. */
export class HttpRemote implements Remote {
  readonly #options: HttpRemoteOptions;
  #client: { key: string; http: HttpClient } | undefined;

  constructor(options: HttpRemoteOptions) {
    this.#options = options;
  }

  async head(signal: AbortSignal): Promise<Head> {
    const { url, branch } = this.#options;
    const client = await this.#refreshClient();
    const { listServerRefs } = (await import('isomorphic-git')).default;
    // Version 1 lists the refs in its first answer: one request for a poll that finds nothing new.
    const list = () => listServerRefs({ http: client.plugin(signal), url, protocolVersion: 1 });
    const refs = await this.#asFaults('SOURCE_PROTOCOL', list, signal);
    if (refs.length === 0) throw sourceFault('SOURCE_EMPTY', { address: url });
    const head = refs.find(({ ref }) => ref === `refs/heads/${branch}`);
    if (head === undefined) throw sourceFault('SOURCE_BRANCH_MISSING', { address: url, detail: branch });
    return { commit: head.oid, ref: head.ref };
  }

  async fetch(into: Quarantine, head: Head, { isWhole }: FetchOptions, signal: AbortSignal): Promise<void> {
    const { url } = this.#options;
    const client = await this.#refreshClient();
    const { fetch } = (await import('isomorphic-git')).default;
    const isFirst = (await into.repository.readRef(into.haveRef)) === undefined;
    const { fetchHead } = await this.#asFaults(
      'SOURCE_INCOMPLETE',
      () =>
        fetch({
          fs: guardedFileSystem,
          http: client.plugin(signal),
          gitdir: into.directory,
          url,
          remote: 'origin',
          remoteRef: head.ref,
          // What it has; the server sends the rest. With `depth` every later fetch would bring everything again.
          ref: into.haveRef,
          ...(isFirst && !isWhole ? { depth: 1 } : {}),
          singleBranch: true,
          tags: false,
        }),
      signal,
    );
    if (fetchHead === null) throw sourceFault('SOURCE_EMPTY', { address: url });
  }

  close(): void {
    this.#client?.http.close();
  }

  /** Credentials and CA are read each time; connections are kept while they stay the same. */
  async #refreshClient(): Promise<HttpClient> {
    const authorization = await readAuthorization(this.#options.credentials);
    const ca = this.#options.caFile === undefined ? undefined : await readCa(this.#options.caFile);
    const key = JSON.stringify([authorization, ca]);
    if (this.#client?.key === key) return this.#client.http;
    this.#client?.http.close();
    const http = new HttpClient({
      url: this.#options.url,
      ...(authorization === undefined ? {} : { authorization }),
      ...(ca === undefined ? {} : { ca }),
    });
    this.#client = { key, http };
    return http;
  }

  /** isomorphic-git's own errors: an answer that is not git's, or a pack that cannot be read. */
  async #asFaults<T>(fault: Fault, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof CofferError) throw cause;
      signal.throwIfAborted();
      if (cause instanceof LargeObject) throw sourceFault('SOURCE_TOO_LARGE', { address: this.#options.url, cause });
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
      throw sourceFault(fault, { address: this.#options.url, ...(code === undefined ? {} : { detail: code }), cause });
    }
  }
}

async function readCa(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new CofferError('SOURCE_CA_UNREADABLE', `the CA file ${file} cannot be read`, {
      advice: 'Check `caFile` and its permissions.',
      data: { path: file },
      loop: 'retry',
      cause,
    });
  }
}
