import fs from 'node:fs';
import { CofferError } from '../../../core/errors.ts';
import type { Quarantine } from '../clone/quarantine.ts';
import { type Fault, remark, type SourceFault, sourceFault } from './faults.ts';
import type { FetchOptions, Head, Remote } from './remote.ts';
import { isHigherTag } from './tags.ts';
import {
  ADVERTISEMENT_LIMIT,
  type AdvertisedRef,
  type Advertisement,
  Declined,
  readAdvertisement,
} from './transport/advertisement.ts';
import { PacketFault, PacketReader, TooLong } from './transport/pkt-line.ts';
import type { Exchange, Transport } from './transport/transport.ts';
import { fetchingHttp, WANTED_REF } from './transport/upload-pack.ts';

/** What of a repository is followed: a branch, or the highest version of the tags that a glob matches. */
export type Followed = { branch: string } | { tag: string };

export interface GitRemoteOptions {
  /** For people, without credentials. */
  address: string;
  followed: Followed;
  transport: Transport;
}

const TAGS = 'refs/tags/';
/** Nothing that a terminal, a log or another program would take for more than a letter. */
const PRINTABLE = /^[^\p{C}\p{Z}]+$/u;
/** Where packets are mixed, only the side bands tell the pack from messages; every server of this decade has them. */
const SIDE_BAND = 'side-band-64k';
/** As deep as can be said (gitprotocol-pack, `deepen`), which is all of it. */
const WHOLE_DEPTH = 0x7fffffff;

const PACK_FAULTS: Partial<Record<string, Fault>> = {
  PACK_MALFORMED: 'SOURCE_INCOMPLETE',
  PACK_TOO_LARGE: 'SOURCE_TOO_LARGE',
};

/** A repository on a server that speaks git's protocol, fetched through isomorphic-git. */
export class GitRemote implements Remote {
  readonly #options: GitRemoteOptions;
  /** Of the last look, where the transport lets a fetch go on from it. */
  #looked: { exchange: Exchange; capabilities: readonly string[] } | undefined;

  constructor(options: GitRemoteOptions) {
    this.#options = options;
  }

  async head(signal: AbortSignal): Promise<Head> {
    const { followed, address } = this.#options;
    const advertisement = await this.#asFaults('SOURCE_PROTOCOL', signal, async () => {
      this.#looked = undefined;
      const { exchange, advertisement } = await this.#open(chooser(followed), signal);
      exchange.end();
      if (exchange.isStateless) this.#looked = { exchange, capabilities: advertisement.capabilities };
      return advertisement;
    });
    if (advertisement.count === 0) throw sourceFault('SOURCE_EMPTY', { address });
    const { chosen } = advertisement;
    if (chosen !== undefined) return headOf(chosen);
    throw 'tag' in followed
      ? sourceFault('SOURCE_TAG_MISSING', { address, detail: followed.tag })
      : sourceFault('SOURCE_BRANCH_MISSING', { address, detail: followed.branch });
  }

  async fetch(into: Quarantine, head: Head, { isWhole }: FetchOptions, signal: AbortSignal): Promise<void> {
    const { address } = this.#options;
    const { fetch } = (await import('isomorphic-git')).default;
    const isFirst = (await into.repository.readRef(into.haveRef)) === undefined;
    const isCutOff = into.repository.shallow().size > 0;
    // With a depth of 1 every later fetch would bring everything again.
    const depth = isWhole ? (isCutOff ? WHOLE_DEPTH : undefined) : isFirst ? 1 : undefined;
    const wanted = head.tag ?? head.commit;
    await this.#asFaults('SOURCE_INCOMPLETE', signal, async () => {
      const { exchange, capabilities } = this.#looked ?? (await this.#openAgain(head.ref, wanted, signal));
      if (!capabilities.includes(SIDE_BAND))
        throw sourceFault('SOURCE_PROTOCOL', { address, detail: `no ${SIDE_BAND}` });
      try {
        await fetch({
          fs,
          http: fetchingHttp({
            wanted,
            capabilities,
            ask: (request) => exchange.ask(request, signal),
            takePack: (pack) => into.takePack(pack, signal),
          }),
          gitdir: into.directory,
          // Which isomorphic-git needs to be one; the plugin has its own.
          url: 'https://git.invalid/repository',
          remote: 'origin',
          remoteRef: WANTED_REF,
          // What is there already; the server sends the rest.
          ref: into.haveRef,
          ...(depth === undefined ? {} : { depth }),
          singleBranch: true,
          tags: false,
        });
      } finally {
        exchange.end();
      }
    });
  }

  close(): void {
    this.#options.transport.close();
  }

  async #open(
    isBetter: (ref: string, than: string | undefined) => boolean,
    signal: AbortSignal,
  ): Promise<{ exchange: Exchange; advertisement: Advertisement }> {
    const exchange = await this.#options.transport.open('git-upload-pack', signal);
    try {
      const reader = new PacketReader(exchange.advertisement(), ADVERTISEMENT_LIMIT);
      const advertisement = await readAdvertisement(reader, isBetter);
      // Read to its end, the connection serves the request too; of a conversation there is no end yet.
      if (exchange.isStateless && (await reader.next()) !== undefined)
        throw new PacketFault('more than a list of refs');
      return { exchange, advertisement };
    } catch (error) {
      exchange.end();
      throw error;
    }
  }

  /** What is wanted must still be named: a server lets nobody fetch what it does not show. */
  async #openAgain(
    ref: string,
    wanted: string,
    signal: AbortSignal,
  ): Promise<{ exchange: Exchange; capabilities: readonly string[] }> {
    const { exchange, advertisement } = await this.#open((name) => name === ref, signal);
    if (advertisement.chosen?.oid === wanted) return { exchange, capabilities: advertisement.capabilities };
    exchange.end();
    throw sourceFault('SOURCE_MOVED', { address: this.#options.address });
  }

  /** What is wrong with the answers, and isomorphic-git's own errors. */
  async #asFaults<T>(fault: Fault, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof CofferError) throw this.#ofPack(cause);
      signal.throwIfAborted();
      throw this.#faultOf(cause, fault);
    }
  }

  /** A pack that is torn or too large is the source's fault; what its objects are is told as core/git found it. */
  #ofPack(cause: CofferError): CofferError {
    const fault = PACK_FAULTS[cause.code];
    return fault === undefined
      ? cause
      : sourceFault(fault, { address: this.#options.address, detail: cause.message, cause });
  }

  #faultOf(cause: unknown, otherwise: Fault): SourceFault {
    const { address } = this.#options;
    if (cause instanceof TooLong) return sourceFault('SOURCE_TOO_LARGE', { address, detail: cause.message, cause });
    if (cause instanceof PacketFault) {
      return sourceFault(cause.isCut ? 'SOURCE_INCOMPLETE' : 'SOURCE_PROTOCOL', {
        address,
        detail: cause.message,
        cause,
      });
    }
    if (cause instanceof Declined) {
      const isGone = /not our ref/.test(cause.message);
      const detail = remark(cause.message);
      return sourceFault(isGone ? 'SOURCE_MOVED' : 'SOURCE_UNAVAILABLE', { address, detail, cause });
    }
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
    return sourceFault(otherwise, { address, detail: code, cause });
  }
}

function chooser(followed: Followed): (ref: string, than: string | undefined) => boolean {
  if ('branch' in followed) return (ref) => ref === `refs/heads/${followed.branch}`;
  // Whatever is not shown as it is cannot be followed either.
  const isTag = (ref: string) => ref.startsWith(TAGS) && PRINTABLE.test(ref);
  return (ref, than) => isTag(ref) && isHigherTag(ref.slice(TAGS.length), than?.slice(TAGS.length), followed.tag);
}

function headOf({ ref, oid, peeled }: AdvertisedRef): Head {
  return peeled === undefined ? { commit: oid, ref } : { commit: peeled, tag: oid, ref };
}
