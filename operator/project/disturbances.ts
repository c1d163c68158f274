import { type FSWatcher, watch } from 'node:fs';
import type { Anchor } from './folder/open-folder.ts';

/**
 * A user's inotify watches are limited, and other programs need some. A folder without one is still looked at by the
 * timer.
 */
const MOST_WATCHES = 8192;

/** Collects what the system (inotify) says that somebody touched, as keys, and calls a listener for the first of them. */
export class Disturbances {
  readonly #watchers = new Map<string, FSWatcher[]>();
  readonly #touched = new Set<string>();
  #count = 0;
  #listener: () => void = () => {};

  /** In place of the listener before. One that comes too late is called at once. */
  onTouched(listener: () => void): void {
    this.#listener = listener;
    if (this.#touched.size > 0) listener();
  }

  /**
   * Watches these open folders, in place of what `watch` knows as `id`. `keyOf` makes a key of what was touched: the name of
   * something in the folder, or `.` for the folder itself.
   */
  watch(id: string, folders: readonly Anchor[], keyOf: (name: string) => string): void {
    this.forget(id);
    if (this.#count + folders.length > MOST_WATCHES) return;
    const watchers: FSWatcher[] = [];
    this.#watchers.set(id, watchers);
    for (const folder of folders) {
      try {
        const watcher = watch(`${folder.path}/.`, { persistent: false }, (_event, name) =>
          this.touch(keyOf(name ?? '.')),
        );
        // A watch that fails later is itself a disturbance.
        watcher.on('error', () => this.touch(keyOf('.')));
        watchers.push(watcher);
        this.#count++;
      } catch {
        // No watch to be had (ENOSPC, EMFILE): the timer finds what happens here.
        return;
      }
    }
  }

  /** Notes a key as touched, whoever says so. */
  touch(key: string): void {
    const isFirst = this.#touched.size === 0;
    this.#touched.add(key);
    if (isFirst) this.#listener();
  }

  watches(id: string): boolean {
    return this.#watchers.has(id);
  }

  forget(id: string): void {
    const watchers = this.#watchers.get(id) ?? [];
    for (const watcher of watchers) watcher.close();
    this.#count -= watchers.length;
    this.#watchers.delete(id);
  }

  /** The keys touched since the last call. */
  take(): string[] {
    const keys = [...this.#touched];
    this.#touched.clear();
    return keys;
  }

  close(): void {
    for (const id of [...this.#watchers.keys()]) this.forget(id);
  }
}
