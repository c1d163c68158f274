import { createHmac, timingSafeEqual } from 'node:crypto';
import { CofferError } from '../../../../core/errors.ts';
import { readKeyText } from '../../../../core/signatures/ssh/key-text.ts';
import { matchesPatternList } from '../../../../core/signatures/ssh/pattern-list.ts';

/** What a known_hosts file says of a key that a host shows. */
export type HostVerdict = 'known' | 'changed' | 'revoked' | 'unknown' | 'certificate';

interface KnownHost {
  marker: 'revoked' | 'cert-authority' | undefined;
  /** Comma-separated patterns, or `|1|salt|hash`. */
  hosts: string;
  /** `ssh-ed25519`, …: as the key itself says. */
  type: string;
  key: Buffer;
}

const MARKERS: Record<string, KnownHost['marker']> = {
  '@revoked': 'revoked',
  '@cert-authority': 'cert-authority',
};
const HASHED = /^\|1\|([A-Za-z0-9+/]{1,64}={0,2})\|([A-Za-z0-9+/]{1,64}={0,2})$/;
const DEFAULT_PORT = 22;

/**
 * The host keys that are trusted: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT", with hashed names, `[host]:port`, patterns and
 * `@revoked`. Host certificates are not checked: a host that only `@cert-authority` speaks for is refused.
 */
export class KnownHosts {
  readonly #hosts: readonly KnownHost[];

  private constructor(hosts: readonly KnownHost[]) {
    this.#hosts = hosts;
  }

  /** Throws `SSH_KNOWN_HOSTS_INVALID` with file and line. */
  static parse(text: string, file: string): KnownHosts {
    const lines = text.split(/\r?\n/);
    const hosts = lines.flatMap((line, i) => {
      const content = line.trim();
      return content === '' || content.startsWith('#') ? [] : [parseLine(content, file, i + 1)];
    });
    return new KnownHosts(hosts);
  }

  /** Key types that the file has for a host: a client asks for these, or a host with several keys would show another. */
  typesOf(host: string, port: number): readonly string[] {
    const types = this.#of(host, port).filter(({ marker }) => marker !== 'cert-authority');
    return [...new Set(types.map(({ type }) => type))];
  }

  judge(host: string, port: number, key: Buffer): HostVerdict {
    const entries = this.#of(host, port);
    const same = entries.filter((entry) => entry.key.equals(key));
    if (same.some(({ marker }) => marker === 'revoked')) return 'revoked';
    if (same.some(({ marker }) => marker === undefined)) return 'known';
    if (entries.some(({ marker }) => marker === undefined)) return 'changed';
    return entries.some(({ marker }) => marker === 'cert-authority') ? 'certificate' : 'unknown';
  }

  #of(host: string, port: number): KnownHost[] {
    const lower = host.toLowerCase();
    const name = port === DEFAULT_PORT ? lower : `[${lower}]:${port}`;
    return this.#hosts.filter(({ hosts }) => namesHost(hosts, name));
  }
}

function parseLine(line: string, file: string, number: number): KnownHost {
  const words = line.split(/[ \t]+/);
  const invalid = (what: string): CofferError =>
    new CofferError('SSH_KNOWN_HOSTS_INVALID', `${file}:${number}: ${what}`, {
      advice: 'Write lines as `ssh-keyscan HOST` prints them, after comparing the fingerprints.',
      data: { file, line: number },
      loop: 'retry',
    });
  const isMarked = words[0]?.startsWith('@') === true;
  const marker = MARKERS[(isMarked ? words.shift() : undefined) ?? ''];
  if (isMarked && marker === undefined) throw invalid('the marker is neither @revoked nor @cert-authority');
  const [hosts = '', type = '', encoded = ''] = words;
  if (encoded === '') throw invalid('there is no host name, key type and key');
  if (hosts.startsWith('|') && !HASHED.test(hosts)) throw invalid('the hashed host name cannot be read');
  const key = readKeyText(`${type} ${encoded}`, invalid);
  return { marker, hosts, type, key };
}

function namesHost(hosts: string, name: string): boolean {
  const [, salt, hash] = HASHED.exec(hosts) ?? [];
  if (salt !== undefined && hash !== undefined) {
    const own = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest();
    const theirs = Buffer.from(hash, 'base64');
    return own.length === theirs.length && timingSafeEqual(own, theirs);
  }
  return matchesPatternList(name, hosts.toLowerCase());
}
