import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const WHO = { name: 'Ada', email: 'ada@example.org' };

/** A repository with a work tree, driven by the real git: where a team commits. */
export class WorkTree {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async init(directory: string, branch = 'main'): Promise<WorkTree> {
    await mkdir(directory, { recursive: true });
    const tree = new WorkTree(directory);
    await tree.git('init', '-q', '-b', branch);
    return tree;
  }

  /** Returns what git printed, without the final line end. The user's own configuration has no part in it. */
  async git(...args: string[]): Promise<string> {
    const env = {
      ...process.env,
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_SYSTEM: '/dev/null',
      // It counts before `http.sslCAInfo` of a repository.
      GIT_SSL_CAINFO: undefined,
      GIT_AUTHOR_NAME: WHO.name,
      GIT_AUTHOR_EMAIL: WHO.email,
      GIT_COMMITTER_NAME: WHO.name,
      GIT_COMMITTER_EMAIL: WHO.email,
    };
    // Only what was asked for runs: a `gc` after it would take another's time, and its folder away.
    const { stdout } = await run('git', ['-c', 'maintenance.auto=false', '-C', this.directory, ...args], {
      env,
      maxBuffer: 1 << 28,
    });
    return stdout.trimEnd();
  }

  /** Writes (or with `null` removes) files and commits everything; returns the commit. */
  async commit(files: Record<string, string | Uint8Array | null>, message = 'Change'): Promise<string> {
    for (const [path, content] of Object.entries(files)) {
      const file = join(this.directory, path);
      if (content === null) await rm(file, { recursive: true });
      else {
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, content);
      }
    }
    await this.git('add', '-A');
    await this.git('commit', '-q', '--allow-empty', '-m', message);
    return this.git('rev-parse', 'HEAD');
  }

  /** Stores an object as it is, malformed or not; returns its id. */
  async writeObject(type: string, bytes: Uint8Array): Promise<string> {
    const args = ['-C', this.directory, 'hash-object', '-t', type, '-w', '--literally', '--stdin'];
    const child = spawn('git', args, { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.end(bytes);
    const [output, [code]] = await Promise.all([child.stdout.toArray(), once(child, 'close')]);
    if (code !== 0) throw new Error(`git hash-object ended with ${code}`);
    return Buffer.concat(output).toString().trim();
  }

  /** Every object there is, as `git cat-file --batch` prints them. */
  async batch(): Promise<Buffer> {
    const args = ['-C', this.directory, 'cat-file', '--batch', '--batch-all-objects'];
    const { stdout } = await run('git', args, { encoding: 'buffer', maxBuffer: 1 << 28 });
    return stdout;
  }
}
