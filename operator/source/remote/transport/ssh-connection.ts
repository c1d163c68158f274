import { connect, type Socket } from 'node:net';
import type { Client, ConnectConfig, PublicKeyAuthMethod } from 'ssh2';
import type { SshPlace } from '../address.ts';
import { sourceFault } from '../faults.ts';
import type { KnownHosts } from './known-hosts.ts';
import { within } from './patience.ts';
import { connectionFault, hostFault, keyRefused } from './ssh-faults.ts';
import type { SshKey } from './ssh-key.ts';
import { RemoteProgram } from './ssh-program.ts';
import { openTunnel } from './tunnel.ts';

export interface SshConnectionOptions {
  place: SshPlace;
  /** Of the source, for errors. */
  address: string;
  key: SshKey;
  knownHosts: KnownHosts;
  /** http:// or https:// URL. */
  proxy: string | undefined;
  /** Milliseconds in which something must come. */
  idle: number;
}

/** RFC 8332: an rsa key signs by SHA-2; the type is still called ssh-rsa. */
const SIGNATURES: Record<string, readonly string[]> = { 'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'] };
const HOST_KEYS = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];
/** Nothing of SHA-1; first what Node's own OpenSSL does fastest. */
const ALGORITHMS = {
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group-exchange-sha256',
    'diffie-hellman-group14-sha256',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group18-sha512',
  ],
  cipher: [
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'aes128-ctr',
    'aes192-ctr',
    'aes256-ctr',
    'chacha20-poly1305@openssh.com',
  ],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'],
  compress: ['none'],
} satisfies ConnectConfig['algorithms'];
const KEEPALIVE = 15_000;
const KEEPALIVES_LOST = 2;
const GRACE = 1000;

/** An ssh connection to a host whose key was known before. */
export class SshConnection {
  readonly #client: Client;
  readonly #socket: Socket;
  readonly #options: SshConnectionOptions;
  #lost: unknown;

  /** Throws `SSH_…`, `SOURCE_UNREACHABLE`, `SOURCE_PROXY`, `SOURCE_SILENT`, `SOURCE_PROTOCOL`. */
  static async open(options: SshConnectionOptions, signal: AbortSignal): Promise<SshConnection> {
    const { Client: SshClient } = (await import('ssh2')).default;
    const { place, address, key, knownHosts, proxy, idle } = options;
    signal.throwIfAborted();
    const { host, port } = place;
    const socket =
      proxy === undefined
        ? connect({ host, port, noDelay: true })
        : await openTunnel({ proxy, host, port, address, idle }, signal);
    const client = new SshClient();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const connection = new SshConnection(client, socket, options);
    client.on('error', (error) => {
      const isRefused = 'level' in error && error.level === 'client-authentication';
      reject(isRefused ? keyRefused(address, key.key.getPublicSSH(), place.user) : connectionFault(error, address));
    });
    client.once('ready', resolve);
    socket.once('close', () => reject(sourceFault('SOURCE_UNREACHABLE', { address, detail: 'the connection broke' })));
    const auth: PublicKeyAuthMethod = { type: 'publickey', username: place.user, key: key.key };
    const types = knownHosts.typesOf(place.host, place.port);
    const wanted = types.flatMap((type) => SIGNATURES[type] ?? [type]).filter((type) => HOST_KEYS.includes(type));
    client.connect({
      sock: socket,
      username: place.user,
      authHandler: [auth],
      // Of a host that is not known any key is asked for, to say which it shows.
      algorithms: {
        ...ALGORITHMS,
        serverHostKey: wanted.length > 0 ? wanted : HOST_KEYS,
      } as ConnectConfig['algorithms'],
      hostVerifier: (shown: Buffer) => {
        const verdict = knownHosts.judge(place.host, place.port, shown);
        if (verdict !== 'known') reject(hostFault(verdict, shown, address));
        return verdict === 'known';
      },
      // Of ssh2's own, which knows of no signal.
      readyTimeout: 0,
      keepaliveInterval: KEEPALIVE,
      keepaliveCountMax: KEEPALIVES_LOST,
    } as ConnectConfig);
    try {
      await within(promise, { address, idle, signal });
      return connection;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  private constructor(client: Client, socket: Socket, options: SshConnectionOptions) {
    this.#client = client;
    this.#socket = socket;
    this.#options = options;
    client.on('error', (error) => {
      this.#lost ??= error;
    });
    socket.once('close', () => {
      this.#lost ??= new Error('the connection is closed');
    });
  }

  get isOpen(): boolean {
    return this.#lost === undefined;
  }

  /** Runs a program there. */
  async run(command: string, signal: AbortSignal): Promise<RemoteProgram> {
    const { address, idle } = this.#options;
    const patience = { address, idle, signal };
    const opening = new Promise<RemoteProgram>((resolve, reject) => {
      this.#client.exec(command, (error, channel) => {
        // At once: of a program that ends soon all may have come together, and its end is told only to who listens then.
        if (error === undefined || error === null) resolve(new RemoteProgram(channel, patience));
        else reject(sourceFault('SOURCE_UNAVAILABLE', { address, detail: 'it runs no program', cause: error }));
      });
    });
    return await within(opening, patience);
  }

  /** Whether the process may end although this is open. */
  rest(isResting: boolean): void {
    if (isResting) this.#socket.unref();
    else this.#socket.ref();
  }

  /** Whoever does not answer to that is left after a while. */
  end(): void {
    this.#client.end();
    this.#socket.unref();
    setTimeout(() => this.#socket.destroy(), GRACE).unref();
  }
}
