import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { flush, writeFileAtomically } from '../../core/files/atomic.ts';
import { ObjectStore } from '../../core/git/object-store.ts';
import { writePack } from '../../core/git/pack-writer.ts';
import { openRepository, Repository } from '../../core/git/repository.ts';
import { PACK_LIMITS, Quarantine, SHALLOW } from './quarantine.ts';

/** The commit whose state was accepted last. */
const ACCEPTED = 'refs/coffer/accepted';
/** What the objects of a clone may take of the disk: a fetch that would bring more is refused. */
const CLONE_BYTES = 4 * 2 ** 30;
/** With more packs than this the small ones are put together. */
const MANY_PACKS = 32;

/**
 * A source's own bare repository under the state directory. Objects come in through a quarantine: a second git directory that
 * is thrown away unless everything that the new commit needs was found in it or here. Nothing is ever removed, so that the
 * manifest which is projected can be read for as long as it is.
 */
export class Clone {
  readonly directory: string;
  readonly repository: Repository;

  private constructor(directory: string, repository: Repository) {
    this.directory = directory;
    this.repository = repository;
  }

  /** Makes it where it is not there, and clears what a killed run left. */
  static async open(directory: string): Promise<Clone> {
    await makeBare(directory);
    for (const name of await readdir(directory)) {
      if (name.startsWith('quarantine-')) await rm(join(directory, name), { recursive: true });
    }
    const packs = join(directory, 'objects', 'pack');
    for (const name of await readdir(packs)) if (name.startsWith('tmp-')) await rm(join(packs, name));
    return new Clone(directory, await openRepository(directory));
  }

  async accepted(): Promise<string | undefined> {
    return this.repository.readRef(ACCEPTED);
  }

  /** A git directory that knows of the accepted commit, so that a server sends only what comes after it. */
  async quarantine(): Promise<Quarantine> {
    const directory = join(this.directory, `quarantine-${randomBytes(6).toString('hex')}`);
    await makeBare(directory);
    const accepted = await this.accepted();
    if (accepted !== undefined) {
      const { bytes } = this.repository.objects.read(accepted);
      const loose = join(directory, 'objects', accepted.slice(0, 2));
      await mkdir(loose);
      await writeFile(
        join(loose, accepted.slice(2)),
        deflateSync(Buffer.concat([Buffer.from(`commit ${bytes.length}\0`), bytes])),
      );
      await writeFile(join(directory, ACCEPTED), `${accepted}\n`);
    }
    await copyIfThere(join(this.directory, SHALLOW), join(directory, SHALLOW));
    const objects = new ObjectStore([join(directory, 'objects'), join(this.directory, 'objects')]);
    const repository = new Repository({ own: directory, common: directory }, objects, this.repository.graph);
    const used = await bytesBelow(join(this.directory, 'objects'));
    const limits = { ...PACK_LIMITS, bytes: Math.max(0, CLONE_BYTES - used) };
    const [isFirst, shallow] = [accepted === undefined, this.repository.shallow()];
    return new Quarantine({ directory, repository, haveRef: ACCEPTED, isFirst, shallow, limits });
  }

  /** Takes in what is in the quarantine and makes `commit` the accepted one; the ref moves last. */
  async adopt(quarantine: Quarantine, commit: string): Promise<void> {
    const from = join(quarantine.directory, 'objects', 'pack');
    const into = join(this.directory, 'objects', 'pack');
    const names = (await readdir(from)).filter((name) => /^pack-.*\.(pack|idx)$/.test(name)).sort();
    // `.pack` before `.idx`: an index without its pack would be taken for a damaged one.
    for (const name of names.reverse()) {
      await flush(join(from, name));
      await rename(join(from, name), join(into, name));
    }
    await flush(into);
    const shallow = join(quarantine.directory, SHALLOW);
    if (await isThere(shallow)) {
      await flush(shallow);
      await rename(shallow, join(this.directory, SHALLOW));
    } else {
      await rm(join(this.directory, SHALLOW), { force: true });
    }
    await flush(this.directory);
    quarantine.isAdopted = true;
    await writeFileAtomically(join(this.directory, ACCEPTED), `${commit}\n`);
    this.repository.objects.refresh();
    await this.#putTogether();
  }

  close(): void {
    this.repository.close();
  }

  /** Every fetch leaves a pack. Once there are many, the small ones become one; the large ones stay as they are. */
  async #putTogether(): Promise<void> {
    const packs = [...this.repository.objects.packs()].sort((a, b) => a.count - b.count);
    if (packs.length <= MANY_PACKS) return;
    const small = packs.slice(0, -1);
    const oids = new Set(small.flatMap((pack) => [...pack.names()]));
    const folder = join(this.directory, 'objects', 'pack');
    await writePack(folder, [...oids], (oid) => this.repository.objects.read(oid));
    // The new pack's name is on disk before the old ones' names go.
    await flush(folder);
    const merged = small.map((pack) => pack.file);
    this.repository.objects.refresh();
    for (const file of merged) {
      await rm(file.replace(/\.pack$/, '.idx'));
      await rm(file);
    }
    this.repository.objects.refresh();
  }
}

async function makeBare(directory: string): Promise<void> {
  await mkdir(join(directory, 'objects', 'pack'), { recursive: true, mode: 0o700 });
  await mkdir(join(directory, 'refs', 'coffer'), { recursive: true });
  if (await isThere(join(directory, 'HEAD'))) return;
  await writeFile(
    join(directory, 'config'),
    '[core]\n\trepositoryformatversion = 0\n\tbare = true\n[remote "origin"]\n\tfetch = +refs/heads/*:refs/coffer/fetched/*\n',
  );
  // What openRepository looks for comes last.
  await writeFileAtomically(join(directory, 'HEAD'), 'ref: refs/heads/main\n');
}

async function bytesBelow(folder: string): Promise<number> {
  let sum = 0;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    sum += entry.isDirectory() ? await bytesBelow(path) : (await stat(path)).size;
  }
  return sum;
}

async function copyIfThere(from: string, to: string): Promise<void> {
  if (await isThere(from)) await copyFile(from, to);
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}
