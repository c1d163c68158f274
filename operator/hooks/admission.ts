import { isIPv6 } from 'node:net';
import { RequestRate } from '../concurrency/request-rate.ts';

/** For one address and for all together: how many at once, and how many a second in the long run. */
const EACH = { burst: 40, perSecond: 5 };
const ALL = { burst: 160, perSecond: 20 };
/** Bytes that cost as much as a request does: hashing them is what the work is. */
const UNIT = 1024 * 1024;

/** How much of what nobody has verified yet is read: behind an Ingress everybody has one address, elsewhere a flood has its own. */
export class Admission {
  readonly #each: RequestRate;
  readonly #all: RequestRate;

  /** `now`: monotonic milliseconds. */
  constructor(now?: () => number) {
    this.#each = new RequestRate(EACH.perSecond, EACH.burst, now);
    this.#all = new RequestRate(ALL.perSecond, ALL.burst, now);
  }

  /** Whether a request from there may be read, of which so many bytes are hashed (once for each secret); counts it if so. */
  admits(address: string, bytes: number): boolean {
    // What costs more than a whole burst would never be let through.
    const cost = Math.min(EACH.burst, 1 + Math.floor(bytes / UNIT));
    return this.#each.admits(network(address), cost) && this.#all.admits('', cost);
  }
}

/** Of an IPv6 address its /64, of which one host has all (RFC 7421). */
function network(address: string): string {
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address;
  const [before = '', after] = address.split('::');
  const [head, tail] = [before.split(':'), after?.split(':') ?? []];
  const zeros = Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0');
  return [...head, ...zeros, ...tail].slice(0, 4).join(':');
}
