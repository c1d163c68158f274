import { remark, sourceFault } from '../source/remote/faults.ts';
import { ADVERTISEMENT_LIMIT, Declined, readAdvertisement } from '../source/remote/transport/advertisement.ts';
import { FLUSH, PacketFault, PacketReader, packet, TooLong } from '../source/remote/transport/pkt-line.ts';
import type { Exchange, Transport } from '../source/remote/transport/transport.ts';

/** What a server made of a push: `ok`, or its own words, printable and short, where it has some. */
export type Report = { isOk: true } | { isOk: false; reason: string | undefined };

/** A branch is to be another commit, if it is still the one that it was when the server named it. */
export interface Update {
  /** Object id; `NO_COMMIT`: there is no such branch yet. */
  from: string;
  to: string;
  pack: Buffer;
}

export const NO_COMMIT = '0'.repeat(40);
/** Without it nobody could tell whether a push was taken; every server of this decade has it. */
const REPORT = 'report-status';
const SIDE_BAND = 'side-band-64k';
/** A report is two lines; what hooks say beside it is a few more. */
const ANSWER_LIMIT = 1 << 20;
const BAND = { report: 1, words: 2, failure: 3 } as const;

/**
 * One push of one branch (gitprotocol-pack, "Pushing Data To a Server"). isomorphic-git's push looks for what to send in a git
 * directory of its own and leaves out, without a word, what it does not find there; here what is sent is at hand, and the clone,
 * which may be shallow and of some folders only, holds nothing of it.
 */
export class ReceivePack {
  readonly #exchange: Exchange;
  readonly #ref: string;
  readonly #address: string;
  readonly #isBanded: boolean;
  /** The commit that the branch was when the server was asked; undefined: there is none. */
  readonly commit: string | undefined;

  private constructor(
    exchange: Exchange,
    options: { ref: string; address: string; commit: string | undefined; isBanded: boolean },
  ) {
    this.#exchange = exchange;
    this.#ref = options.ref;
    this.#address = options.address;
    this.#isBanded = options.isBanded;
    this.commit = options.commit;
  }

  /** `ref`: full name. Throws CofferError (`SOURCE_…`, `SSH_…`), and what aborted the signal. */
  static async open(transport: Transport, ref: string, address: string, signal: AbortSignal): Promise<ReceivePack> {
    const exchange = await transport.open('git-receive-pack', signal);
    try {
      const reader = new PacketReader(exchange.advertisement(), ADVERTISEMENT_LIMIT);
      const { chosen, capabilities } = await asFaults(address, () => readAdvertisement(reader, (name) => name === ref));
      if (exchange.isStateless) await asFaults(address, () => nothingMore(reader));
      if (!capabilities.includes(REPORT)) {
        throw sourceFault('SOURCE_PROTOCOL', { address, detail: `no ${REPORT}` });
      }
      const isBanded = capabilities.includes(SIDE_BAND);
      return new ReceivePack(exchange, { ref, address, commit: chosen?.oid, isBanded });
    } catch (error) {
      exchange.end();
      throw error;
    }
  }

  /** Once. Throws as `open`: whether the server took it is then not known. */
  async send({ from, to, pack }: Update, signal: AbortSignal): Promise<Report> {
    const wishes = this.#isBanded ? `${REPORT} ${SIDE_BAND}` : REPORT;
    const command = packet(`${from} ${to} ${this.#ref}\0 ${wishes} agent=coffer`);
    return asFaults(this.#address, async () => {
      const answer = await this.#exchange.ask(Buffer.concat([command, FLUSH, pack]), signal);
      return this.#isBanded ? readBanded(answer, this.#ref) : readReport(answer, this.#ref, '');
    });
  }

  end(): void {
    this.#exchange.end();
  }
}

/** Read to its end, the connection serves the request too. */
async function nothingMore(reader: PacketReader): Promise<void> {
  if ((await reader.next()) !== undefined) throw new PacketFault('more than a list of refs');
}

async function readBanded(answer: AsyncIterable<Uint8Array>, ref: string): Promise<Report> {
  const reader = new PacketReader(answer, ANSWER_LIMIT);
  const report: Buffer[] = [];
  let words = '';
  for (let found = await reader.next(); found !== undefined && found !== 'flush'; found = await reader.next()) {
    const [band, content] = [found[0], found.subarray(1)];
    if (band === BAND.report) report.push(Buffer.from(content));
    else if (band === BAND.words) words += content.toString('utf8');
    else if (band === BAND.failure) throw new Declined(content.toString('utf8'));
    else if (found.length > 0) throw new PacketFault('a packet outside of the side bands');
  }
  await reader.close();
  return readReport(once(Buffer.concat(report)), ref, words);
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** gitprotocol-pack, "Report Status": how unpacking went, then a line for the one command. `words`: what the server said beside it. */
async function readReport(answer: AsyncIterable<Uint8Array>, ref: string, words: string): Promise<Report> {
  const reader = new PacketReader(answer, ANSWER_LIMIT);
  let reason: string | undefined;
  let isTaken: boolean | undefined;
  for (let found = await reader.next(); found !== 'flush'; found = await reader.next()) {
    if (found === undefined) throw new PacketFault('the report has no end', true);
    const line = found.toString('utf8').replace(/\n$/, '');
    if (line.startsWith('unpack ')) reason = line === 'unpack ok' ? reason : line;
    else if (line === `ok ${ref}`) isTaken ??= true;
    else if (line.startsWith(`ng ${ref} `)) {
      isTaken = false;
      reason ??= line.slice(`ng ${ref} `.length);
    } else throw new PacketFault('a line that is none of a report');
  }
  if (isTaken === undefined) throw new PacketFault('a report that does not name the branch');
  return isTaken && reason === undefined ? { isOk: true } : { isOk: false, reason: remark(`${reason ?? ''} ${words}`) };
}

async function asFaults<T>(address: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof TooLong) throw sourceFault('SOURCE_TOO_LARGE', { address, detail: cause.message, cause });
    if (cause instanceof PacketFault) {
      const fault = cause.isCut ? 'SOURCE_INCOMPLETE' : 'SOURCE_PROTOCOL';
      throw sourceFault(fault, { address, detail: cause.message, cause });
    }
    if (cause instanceof Declined) {
      throw sourceFault('SOURCE_UNAVAILABLE', { address, detail: remark(cause.message), cause });
    }
    throw cause;
  }
}
