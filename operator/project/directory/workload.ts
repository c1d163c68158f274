import { CofferError } from '../../../core/errors.ts';
import type { DirectoryConfig } from '../../config/settings.ts';
import type { Holder } from '../folder/open-folder.ts';

type WorkloadConfig = DirectoryConfig['workloads'][number];

/** A workload of the configuration, ready to be given files. */
export interface Workload {
  /** NAMESPACE/NAME. */
  id: string;
  namespace: string;
  name: string;
  holder: Holder;
  onChange: WorkloadConfig['onChange'];
}

/** Who this process is, and so to whom it can give files. */
export interface Identity {
  uid: number;
  gid: number;
  groups: readonly number[];
}

export function ownIdentity(): Identity {
  return { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0, groups: process.getgroups?.() ?? [] };
}

/**
 * Throws CofferError `PROJECTION_UNPRIVILEGED` where files would have to be given to another user by an operator that is not
 * root, `CONFIG_WORKLOAD_TWICE` for a name listed twice.
 */
export function workloadsFrom(configs: readonly WorkloadConfig[], self: Identity): Map<string, Workload> {
  const workloads = new Map<string, Workload>();
  for (const config of configs) {
    if (workloads.has(config.name)) throw listedTwice(config.name);
    workloads.set(config.name, workloadFrom(config, self));
  }
  return workloads;
}

function workloadFrom(config: WorkloadConfig, self: Identity): Workload {
  const [namespace = '', name = ''] = config.name.split('/');
  const uid = config.uid ?? self.uid;
  const gid = config.gid ?? self.gid;
  const isRoot = self.uid === 0;
  if (!isRoot && uid !== self.uid) throw unprivileged(config.name, `user ${uid}`, self);
  if (!isRoot && gid !== self.gid && !self.groups.includes(gid)) throw unprivileged(config.name, `group ${gid}`, self);
  // Root writes whatever the mode says; another operator shares its user with the workload and needs the bit itself.
  const folderMode = isRoot ? 0o500 : 0o700;
  return {
    id: config.name,
    namespace,
    name,
    holder: { uid, gid, folderMode, fileMode: 0o400 },
    onChange: config.onChange,
  };
}

function unprivileged(workload: string, whom: string, self: Identity): CofferError {
  return new CofferError(
    'PROJECTION_UNPRIVILEGED',
    `The operator runs as user ${self.uid} and cannot give the files of ${workload} to ${whom}.`,
    {
      advice: `Run the operator as root, or leave out uid and gid so that ${workload} runs as user ${self.uid} too.`,
      data: { workload },
      loop: 'stop',
    },
  );
}

function listedTwice(workload: string): CofferError {
  return new CofferError('CONFIG_WORKLOAD_TWICE', `The projection lists ${workload} twice.`, {
    advice: 'Keep one of the two.',
    data: { workload },
    exit: 2,
    loop: 'stop',
  });
}
