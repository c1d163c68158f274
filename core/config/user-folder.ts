import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * The folder of the user's own configuration, where pins and keys are kept: `$XDG_CONFIG_HOME/coffer`, else
 * `~/.config/coffer`. As the XDG Base Directory Specification asks, a relative path in the variable is ignored.
 */
export function userFolder(env: NodeJS.ProcessEnv): string {
  const base = env.XDG_CONFIG_HOME;
  return join(base !== undefined && isAbsolute(base) ? base : join(env.HOME || homedir(), '.config'), 'coffer');
}
