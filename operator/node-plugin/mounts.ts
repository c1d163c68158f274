import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { CofferError } from '../../core/errors.ts';

/** What the kernel has mounted, and how that is changed: by mount(8) and umount(8), for Node has no system calls of its own for it. */

/** The device that our file systems are named by in the table of mounts. */
const SOURCE = 'coffer.dev';

const PROGRAMS = { mount: '/bin/mount', umount: '/bin/umount' } as const;
const FLAGS = 'nosuid,nodev,noexec';
/** Milliseconds. */
const TIMEOUT = 20_000;

export interface Mount {
  path: string;
  type: string;
  source: string;
  isReadOnly: boolean;
}

const run = promisify(execFile);

/** /proc/self/mountinfo (proc_pid_mountinfo(5)), in the order of mounting. */
export async function listMounts(): Promise<Mount[]> {
  const table = await readFile('/proc/self/mountinfo', 'utf8');
  return table.split('\n').flatMap((line) => parseMount(line) ?? []);
}

/** Our file systems among them, or at one path. */
export async function ourMounts(path?: string): Promise<Mount[]> {
  const mounts = await listMounts();
  const isOurs = ({ type, source }: Mount) => type === 'tmpfs' && source === SOURCE;
  return mounts.filter((mount) => isOurs(mount) && (path === undefined || mount.path === path));
}

export function parseMount(line: string): Mount | undefined {
  const [before = '', after = ''] = line.split(' - ');
  const [, , , , path, options] = before.split(' ');
  const [type, source] = after.split(' ');
  if (path === undefined || options === undefined || type === undefined || source === undefined) return undefined;
  return {
    path: unescapeOctal(path),
    type,
    source: unescapeOctal(source),
    isReadOnly: options.split(',').includes('ro'),
  };
}

/** Space, tab, newline and backslash stand there in octal, byte by byte. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** A new tmpfs of at most so many bytes, never swapped out where the kernel can (Linux 6.4). */
export async function mountTmpfs(path: string, bytes: number): Promise<void> {
  const options = [`size=${bytes},mode=0700,${FLAGS}`, ...(await label())].join();
  try {
    await mount('-t', 'tmpfs', '-o', `${options},noswap`, SOURCE, path);
  } catch {
    // An older kernel refuses the option; what is wrong with all else is wrong again.
    await mount('-t', 'tmpfs', '-o', options, SOURCE, path);
  }
}

/**
 * Under SELinux containers read only what is labelled for them. A runtime would label the files of a volume itself, which fails where
 * it is read-only; a file system with a label of its own it leaves alone.
 */
async function label(): Promise<string[]> {
  const known = await readFile('/proc/filesystems', 'utf8');
  return known.includes('selinuxfs') ? ['context=system_u:object_r:container_file_t:s0'] : [];
}

/** Shows what is mounted at one path at another too. */
export async function bindMount(from: string, to: string, access: 'ro' | 'rw'): Promise<void> {
  await mount('-o', 'bind', from, to);
  await setAccess(to, access);
}

/** Of this place of the mount alone. */
export async function setAccess(path: string, access: 'ro' | 'rw'): Promise<void> {
  await mount('-o', `remount,bind,${access},${FLAGS}`, path);
}

/** `detach`: it is gone from its path at once; whoever has it open goes on. */
export async function unmount(path: string, detach = false): Promise<void> {
  await perform(PROGRAMS.umount, ['-n', ...(detach ? ['-l'] : []), path]);
}

async function mount(...options: string[]): Promise<void> {
  await perform(PROGRAMS.mount, ['-n', ...options]);
}

async function perform(program: string, options: string[]): Promise<void> {
  try {
    await run(program, options, { timeout: TIMEOUT, env: {} });
  } catch (error) {
    throw new CofferError('NODE_MOUNT', `${program} failed at ${options.at(-1) ?? ''}.`, {
      advice: 'See that the node plugin runs privileged, as root, and that its container has mount and umount.',
      data: { path: options.at(-1) ?? '' },
      loop: 'retry',
      cause: error,
    });
  }
}
