import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { CofferError } from '../../../../core/errors.ts';
import type { SshPlace } from '../address.ts';
import { KnownHosts } from './known-hosts.ts';
import { FLUSH } from './pkt-line.ts';
import { SshConnection } from './ssh-connection.ts';
import { readSshKey, type SshKey, type SshKeyFiles } from './ssh-key.ts';
import type { RemoteProgram } from './ssh-program.ts';
import type { Exchange, Service, Transport } from './transport.ts';

export interface SshTransportOptions {
  place: SshPlace;
  /** Of the source, for errors. */
  address: string;
  files: SshKeyFiles & { knownHostsFile: string };
  /** http:// or https:// URL. */
  proxy: string | undefined;
  /** Milliseconds in which something must come. */
  idle: number;
}

/** Milliseconds: a fetch goes over the connection of the look before it; the next look, which is later, opens another. */
const LINGER = 500;

/**
 * git's protocol over ssh (gitprotocol-pack, "SSH Transport"): the programs git-upload-pack and git-receive-pack run on the
 * host. Key, passphrase and known hosts are read at every exchange.
 */
export class SshTransport implements Transport {
  readonly #options: SshTransportOptions;
  #key: SshKey | undefined;
  #open: { identity: string; connection: SshConnection; linger: NodeJS.Timeout | undefined } | undefined;

  constructor(options: SshTransportOptions) {
    this.#options = options;
  }

  async open(service: Service, signal: AbortSignal): Promise<Exchange> {
    const program = await this.#run(`${service} ${quoted(this.#options.place.path)}`, signal);
    let isAsked = false;
    let isEnded = false;
    return {
      isStateless: false,
      advertisement: () => program.output(),
      ask: async (request) => {
        isAsked = true;
        program.write(request);
        return program.output();
      },
      end: () => {
        if (isEnded) return;
        isEnded = true;
        // Who wants nothing says so, else the program there calls it an error.
        program.end(isAsked ? undefined : FLUSH);
        this.#linger();
      },
    };
  }

  close(): void {
    if (this.#open === undefined) return;
    clearTimeout(this.#open.linger);
    this.#open.connection.end();
    this.#open = undefined;
  }

  async #run(command: string, signal: AbortSignal): Promise<RemoteProgram> {
    const { place, address, files, proxy, idle } = this.#options;
    this.#key = await readSshKey(files, this.#key);
    const known = await readKnownHosts(files.knownHostsFile);
    const identity = `${this.#key.digest} ${createHash('sha256').update(known).digest('hex')}`;
    const kept = this.#open?.identity === identity && this.#open.connection.isOpen ? this.#open : undefined;
    if (kept !== undefined) {
      clearTimeout(kept.linger);
      kept.connection.rest(false);
      // The server may have ended it at this very moment.
      const program = await kept.connection.run(command, signal).catch(() => undefined);
      if (program !== undefined) return program;
    }
    this.close();
    const knownHosts = KnownHosts.parse(known, files.knownHostsFile);
    const connection = await SshConnection.open({ place, address, key: this.#key, knownHosts, proxy, idle }, signal);
    this.#open = { identity, connection, linger: undefined };
    return connection.run(command, signal);
  }

  #linger(): void {
    if (this.#open === undefined) return;
    clearTimeout(this.#open.linger);
    this.#open.connection.rest(true);
    this.#open.linger = setTimeout(() => this.close(), LINGER).unref();
  }
}

/** For the shell that sshd gives it to: within single quotes only they, and for csh the exclamation mark, mean anything. */
function quoted(path: string): string {
  return `'${path.replace(/['!]/g, (character) => `'\\${character}'`)}'`;
}

async function readKnownHosts(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new CofferError('SSH_KNOWN_HOSTS_UNREADABLE', `the known hosts in ${file} cannot be read`, {
      advice: 'Check `knownHostsFile` and its permissions; it is read again at every fetch.',
      data: { path: file },
      loop: 'retry',
      cause,
    });
  }
}
