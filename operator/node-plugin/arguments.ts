import { hostname } from 'node:os';
import { join } from 'node:path';
import { milliseconds } from '../../core/duration.ts';
import { DURATION } from '../../schemas/grammar.ts';
import { parseOptions, wrongUsage } from '../process/command-line.ts';

export interface NodeSettings {
  /** `https://HOST:PORT` of the operator's volumes server. */
  operator: string;
  trustDirectory: string;
  node: string;
  kubeletDirectory: string;
  privateDirectory: string;
  /** Path of the driver's socket. */
  socket: string;
  registrationSocket: string;
  poll: number;
  staleAfter: number;
  /** Bytes. */
  size: number;
}

export type NodeRequest = { do: 'help' } | { do: 'version' } | { do: 'run'; settings: NodeSettings };

export const HELP = `The node plugin of the CSI driver csi.coffer.dev: gives pods the secrets that
they may read, on tmpfs.

Usage: coffer-node --operator https://HOST:PORT --trust DIRECTORY

  --operator URL     the operator's volumes server
  --trust DIRECTORY  the ConfigMap coffer-serving-ca, mounted: ca.crt and
                     serverName
  --node NAME        the node's name; absent: $NODE_NAME, else the host's name
  --kubelet DIR      kubelet's directory, at the same path as on the host;
                     absent: /var/lib/kubelet
  --private DIR      a folder of its own, for mounts that last a moment;
                     absent: /run/coffer-node
  --poll DURATION    between looks for changes of each volume; absent: 10s
  --stale DURATION   without a word of the operator, after which pods' Events
                     say so; absent: 10m
  --size MEBIBYTES   of each volume at most; absent: 8
  --help             show this
  --version          show the version

It runs as root and privileged: mounts that it makes have to reach kubelet. It
has no access to the API server.
Exit codes: 0 done, 2 wrong usage, 3 cannot go on.
`;

const PROGRAM = 'coffer-node';
const OPTIONS = {
  operator: { type: 'string' },
  trust: { type: 'string' },
  node: { type: 'string' },
  kubelet: { type: 'string', default: '/var/lib/kubelet' },
  private: { type: 'string', default: '/run/coffer-node' },
  poll: { type: 'string', default: '10s' },
  stale: { type: 'string', default: '10m' },
  size: { type: 'string', default: '8' },
  help: { type: 'boolean' },
  version: { type: 'boolean' },
} as const;

const DRIVER_SOCKET = join('plugins', 'csi.coffer.dev', 'csi.sock');
const REGISTRATION_SOCKET = join('plugins_registry', 'csi.coffer.dev-reg.sock');
const MEBIBYTE = 1024 * 1024;

/** Throws CofferError `ARGUMENTS_INVALID`. */
export function parseArguments(argv: readonly string[], environment: NodeJS.ProcessEnv): NodeRequest {
  const { operator, trust, ...values } = parseOptions(argv, OPTIONS, PROGRAM);
  if (values.help) return { do: 'help' };
  if (values.version) return { do: 'version' };
  if (operator === undefined || URL.parse(operator)?.protocol !== 'https:')
    throw wrongUsage('--operator https://HOST:PORT is missing', PROGRAM);
  if (trust === undefined) throw wrongUsage('--trust DIRECTORY is missing', PROGRAM);
  if (!/^[1-9][0-9]{0,3}$/.test(values.size)) throw wrongUsage('--size is a number of mebibytes', PROGRAM);
  return {
    do: 'run',
    settings: {
      operator,
      trustDirectory: trust,
      node: values.node ?? environment.NODE_NAME ?? hostname(),
      kubeletDirectory: values.kubelet,
      privateDirectory: values.private,
      socket: join(values.kubelet, DRIVER_SOCKET),
      registrationSocket: join(values.kubelet, REGISTRATION_SOCKET),
      poll: duration(values.poll, '--poll'),
      staleAfter: duration(values.stale, '--stale'),
      size: Number(values.size) * MEBIBYTE,
    },
  };
}

function duration(text: string, option: string): number {
  if (new RegExp(DURATION).test(text)) return milliseconds(text);
  throw wrongUsage(`${option} is a duration such as 10s`, PROGRAM);
}
