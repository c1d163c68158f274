import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Has every applet of busybox in /bin and sleeps. Use it with `imagePullPolicy: Never`. */
export const IMAGE = 'localhost/coffer-test:1';

const COMMAND = ['/bin/busybox', 'sleep', '1000000'];
const LAYER = 'application/vnd.oci.image.layer.v1.tar';

/**
 * Writes the image as an OCI archive (https://github.com/opencontainers/image-spec/blob/main/image-layout.md): from a static
 * busybox, without a registry and without another tool for containers. Resolves to its path.
 */
export async function makeImage(directory: string, busybox: string): Promise<string> {
  const [root, layout] = [join(directory, 'image-root'), join(directory, 'image-layout')];
  await makeRoot(root, busybox);
  await mkdir(join(layout, 'blobs/sha256'), { recursive: true });
  const layerFile = join(directory, 'layer.tar');
  await tar(root, layerFile);
  const layer = await blob(layout, await readFile(layerFile));
  const config = await blob(layout, {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Cmd: COMMAND, Env: ['PATH=/bin'] },
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
  });
  const manifest = await blob(layout, {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    layers: [{ mediaType: LAYER, ...layer }],
  });
  const named = {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    ...manifest,
    annotations: { 'io.containerd.image.name': IMAGE, 'org.opencontainers.image.ref.name': IMAGE },
  };
  await writeFile(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [named] }));
  await writeFile(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  const archive = join(directory, 'image.tar');
  await tar(layout, archive);
  return archive;
}

async function makeRoot(root: string, busybox: string): Promise<void> {
  await Promise.all(['bin', 'etc', 'proc', 'sys', 'dev'].map((name) => mkdir(join(root, name), { recursive: true })));
  await mkdir(join(root, 'tmp'), { mode: 0o1777 });
  await copyFile(busybox, join(root, 'bin/busybox'));
  const { stdout } = await run(busybox, ['--list']);
  const applets = stdout
    .trim()
    .split('\n')
    .filter((name) => name !== 'busybox');
  await Promise.all(applets.map((name) => symlink('busybox', join(root, 'bin', name))));
}

async function tar(folder: string, file: string): Promise<void> {
  await run('tar', ['--owner=0', '--group=0', '--numeric-owner', '-C', folder, '-cf', file, '.']);
}

async function blob(layout: string, content: Buffer | object): Promise<{ digest: string; size: number }> {
  const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
  const hash = createHash('sha256').update(bytes).digest('hex');
  await writeFile(join(layout, 'blobs/sha256', hash), bytes);
  return { digest: `sha256:${hash}`, size: bytes.length };
}
