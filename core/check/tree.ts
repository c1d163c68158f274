/** Files of a repository at one moment: the working tree, or what is staged. Paths are relative to its root, with `/`. */
export interface Tree {
  readonly files: ReadonlyMap<string, TreeFile>;
  /** The bytes of these files, in this order; undefined for one that is larger than `LARGEST_READ`. */
  read(files: readonly TreeFile[]): Promise<(Buffer | undefined)[]>;
}

export interface TreeFile {
  readonly path: string;
  /** The bytes of a symlink are its target, as the link says it. */
  readonly kind: 'file' | 'symlink';
}

/** Larger files are not read: no manifest may be so large, and reading large media files at each commit takes time. */
export const LARGEST_READ = 16 * 1024 * 1024;

/** How many files are asked for at once: enough to hide latency, few enough to keep memory flat. */
const BATCH = 256;

/** Reads many files without holding all of their bytes. Too large ones are left out. */
export async function* contents(
  tree: Tree,
  files: readonly TreeFile[],
): AsyncIterable<{ file: TreeFile; bytes: Buffer }> {
  for (let start = 0; start < files.length; start += BATCH) {
    const batch = files.slice(start, start + BATCH);
    const read = await tree.read(batch);
    for (const [index, file] of batch.entries()) {
      const bytes = read[index];
      if (bytes !== undefined) yield { file, bytes };
    }
  }
}
