import { CofferError } from '../../../core/errors.ts';
import type { OperatorConfig } from '../../../schemas/operator-config.ts';
import type { Address } from './address.ts';
import { type Followed, GitRemote } from './git-remote.ts';
import { LocalRemote } from './local-remote.ts';
import type { Remote } from './remote.ts';
import { assertProxy } from './transport/dispatchers.ts';
import { HttpTransport } from './transport/http-transport.ts';
import { SshTransport } from './transport/ssh-transport.ts';
import type { Transport } from './transport/transport.ts';

export type RemoteConfig = NonNullable<OperatorConfig['sources'][number]['git']>;

const DEFAULT_BRANCH = 'main';
/** A git server that computes says so every 5 seconds (git-config, uploadpack.keepAlive). */
const IDLE = 20_000;

const HTTP_ONLY = ['caFile', 'clientCertFile', 'clientKeyFile', 'usernameFile', 'passwordFile', 'bearerFile'] as const;
const SSH_ONLY = ['sshKeyFile', 'sshPassphraseFile', 'knownHostsFile'] as const;
const NETWORK_ONLY = ['proxy'] as const;

/**
 * What stands behind an address; `parts`: the folders and files that will be read. Touches neither network nor files. `idle`:
 * milliseconds in which a server must send something. Throws `SOURCE_SETTINGS`, `SOURCE_PROXY_INVALID`.
 */
export function openRemote(config: RemoteConfig, address: Address, parts: readonly string[], idle = IDLE): Remote {
  const followed: Followed =
    config.tag === undefined ? { branch: config.branch ?? DEFAULT_BRANCH } : { tag: config.tag };
  assertSettings(config, address.kind);
  if (address.kind === 'local') return new LocalRemote(address.text, followed, parts);
  return new GitRemote({ address: address.text, followed, transport: transportTo(config, address, idle) });
}

/** Only what is reached over a network has one. */
export function transportTo(
  config: RemoteConfig,
  address: Exclude<Address, { kind: 'local' }>,
  idle: number,
): Transport {
  assertProxy(config.proxy);
  if (address.kind === 'http') {
    return new HttpTransport({ url: address.text, files: config, proxy: config.proxy, idle });
  }
  const { sshKeyFile, sshPassphraseFile, knownHostsFile } = config;
  if (sshKeyFile === undefined || knownHostsFile === undefined) {
    throw settings(
      'comes over ssh and needs `sshKeyFile` and `knownHostsFile`',
      'Name both; no host key is trusted on first use.',
    );
  }
  const files = { sshKeyFile, sshPassphraseFile, knownHostsFile };
  // HTTPS_PROXY and HTTP_PROXY are of these protocols: what goes over ssh is told so in its own settings.
  const proxy = config.proxy === 'none' ? undefined : config.proxy;
  return new SshTransport({ place: address.ssh, address: address.text, files, proxy, idle });
}

/** A setting that another transport would follow is a mistake: whoever wrote it relies on it. */
function assertSettings(config: RemoteConfig, kind: Address['kind']): void {
  if (config.branch !== undefined && config.tag !== undefined) {
    throw settings('follows a branch and a tag', 'Leave out `branch` or `tag`.');
  }
  if ((config.clientCertFile === undefined) !== (config.clientKeyFile === undefined)) {
    throw settings('has half of a client certificate', 'Name both `clientCertFile` and `clientKeyFile`, or neither.');
  }
  const foreign = [
    ...(kind === 'http' ? [] : HTTP_ONLY),
    ...(kind === 'ssh' ? [] : SSH_ONLY),
    ...(kind === 'local' ? NETWORK_ONLY : []),
  ];
  const stray = foreign.find((name) => config[name] !== undefined);
  if (stray !== undefined)
    throw settings(`has \`${stray}\`, which means nothing for its url`, 'Leave it out, or correct `url`.');
}

function settings(what: string, advice: string): CofferError {
  return new CofferError('SOURCE_SETTINGS', `a git source ${what}`, { advice, exit: 2, loop: 'stop' });
}
