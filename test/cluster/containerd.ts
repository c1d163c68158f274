import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { IMAGE, makeImage } from './image.ts';
import { lastWords, type SweptFolder } from './swept-folder.ts';

const run = promisify(execFile);

export const CONTAINERD_PARTS = [
  'containerd',
  'containerd-shim-runc-v2',
  'ctr',
  'loopback',
  'runc',
  'busybox',
] as const;
export type ContainerdParts = Record<(typeof CONTAINERD_PARTS)[number], string>;

/** The Kubernetes namespace of containerd. */
const NAMESPACE = 'k8s.io';
const SNAPSHOTTER = 'native';
const READY_MS = 240_000;

/** Starts containerd in the folder and gives it `IMAGE`. Resolves to the path of its socket. */
export async function startContainerd(folder: SweptFolder, parts: ContainerdParts): Promise<string> {
  const home = join(folder.path, 'containerd');
  const socket = join(home, 'containerd.sock');
  await mkdir(join(home, 'cni'), { recursive: true });
  const cni = { cniVersion: '1.0.0', name: 'loopback', plugins: [{ type: 'loopback' }] };
  await writeFile(join(home, 'cni/10-loopback.conflist'), JSON.stringify(cni));
  await writeFile(join(home, 'config.toml'), configuration(home, parts));
  const path = [dirname(parts['containerd-shim-runc-v2']), dirname(parts.runc), process.env.PATH].join(delimiter);
  const arguments_ = ['--config', join(home, 'config.toml')];
  const program = folder.start('containerd', parts.containerd, arguments_, { PATH: path });
  const archive = await makeImage(home, parts.busybox);
  const deadline = performance.now() + READY_MS;
  while (!existsSync(socket)) {
    if (program.hasEnded() || performance.now() > deadline) throw new Error(await lastWords(program));
    await setTimeout(50);
  }
  const images = ['images', 'import', '--local', '--snapshotter', SNAPSHOTTER, archive];
  await run(parts.ctr, ['-a', socket, '-n', NAMESPACE, ...images]);
  return socket;
}

/** TOML of version 3, https://github.com/containerd/containerd/blob/main/docs/cri/config.md. JSON strings are TOML strings. */
function configuration(home: string, parts: ContainerdParts): string {
  const text = (value: string) => JSON.stringify(value);
  return `version = 3
root = ${text(join(home, 'root'))}
state = ${text(join(home, 'state'))}
oom_score = 0

[grpc]
address = ${text(join(home, 'containerd.sock'))}

[ttrpc]
address = ${text(join(home, 'containerd.sock.ttrpc'))}

[plugins.'io.containerd.cri.v1.images']
snapshotter = ${text(SNAPSHOTTER)}

[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = ${text(IMAGE)}

[plugins.'io.containerd.cri.v1.runtime']
restrict_oom_score_adj = true

[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = [${text(dirname(parts.loopback))}]
conf_dir = ${text(join(home, 'cni'))}

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
BinaryName = ${text(parts.runc)}
Root = ${text(join(home, 'runc'))}
SystemdCgroup = false
`;
}
