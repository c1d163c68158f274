import { lstatSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * Where compiled code may be cached, or undefined where no folder is ours alone. Whoever can write into this folder
 * decides what the CLI runs, so node's default (a folder in the shared temporary directory) is not used.
 */
export function privateCacheDirectory(env: NodeJS.ProcessEnv): string | undefined {
  const base = env.XDG_CACHE_HOME;
  const directory = join(
    base !== undefined && isAbsolute(base) ? base : join(homedir(), '.cache'),
    'coffer',
    'compiled',
  );
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const found = lstatSync(directory);
    const ours = found.isDirectory() && (process.getuid === undefined || found.uid === process.getuid());
    return ours && (found.mode & 0o022) === 0 ? directory : undefined;
  } catch (error) {
    // A cache is a convenience: a read-only or missing home is no reason to fail. Other errors are.
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}
