import { join, resolve } from 'node:path';
import { userFolder } from '../../core/config/user-folder.ts';

/** `--key-dir`, else COFFER_KEY_DIR, else `keys` in the user's coffer configuration. */
export function keyDirectory(flag: string | undefined, env: NodeJS.ProcessEnv = process.env): string {
  const named = flag ?? env.COFFER_KEY_DIR;
  return named === undefined || named === '' ? join(userFolder(env), 'keys') : resolve(named);
}
