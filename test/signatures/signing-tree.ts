import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readSigned } from '../../core/git/commits/signed-object.ts';
import { type SignerFiles, Signers } from '../../core/signatures/signers.ts';
import { WorkTree } from '../servers/work-tree.ts';

const run = promisify(execFile);

export type SshKeyType = 'ed25519' | 'ecdsa' | 'rsa';

/** A repository, SSH keys and a GnuPG home, and what git, ssh-keygen and we say of what is signed with them. */
export class SigningTree {
  readonly root: string;
  readonly tree: WorkTree;

  private constructor(root: string, tree: WorkTree) {
    this.root = root;
    this.tree = tree;
  }

  static async create(): Promise<SigningTree> {
    const root = await mkdtemp(join(tmpdir(), 'coffer-sign-'));
    const tree = await WorkTree.init(join(root, 'team'));
    await tree.git('config', 'gpg.format', 'ssh');
    await mkdir(join(root, 'gnupg'), { mode: 0o700 });
    return new SigningTree(root, tree);
  }

  async remove(): Promise<void> {
    await run('gpgconf', ['--homedir', this.gnupg, '--kill', 'all']);
    await rm(this.root, { recursive: true, force: true });
  }

  get gnupg(): string {
    return join(this.root, 'gnupg');
  }

  file(name: string): string {
    return join(this.root, name);
  }

  /** Returns the line of the public key, `TYPE BASE64`; the private key is `file(name)`. */
  async sshKey(name: string, type: SshKeyType = 'ed25519', bits = 256): Promise<string> {
    await run('ssh-keygen', ['-q', '-t', type, '-b', `${bits}`, '-N', '', '-C', '', '-f', this.file(name)]);
    return (await readFile(this.file(`${name}.pub`), 'utf8')).trim();
  }

  async sshKeygen(...args: string[]): Promise<string> {
    return (await run('ssh-keygen', args, { cwd: this.root })).stdout;
  }

  /** `date`: of the committer, as `GIT_COMMITTER_DATE` takes it. */
  async commit(key: string, options: { date?: string; args?: string[] } = {}): Promise<string> {
    const args = ['-c', `user.signingKey=${this.file(key)}`, 'commit', '-q', '--allow-empty', '-S', '-m', 'Change'];
    const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org'];
    const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GNUPGHOME: this.gnupg };
    const dated = options.date === undefined ? env : { ...env, GIT_COMMITTER_DATE: options.date };
    await run('git', ['-C', this.tree.directory, ...identity, ...args, ...(options.args ?? [])], { env: dated });
    return this.tree.git('rev-parse', 'HEAD');
  }

  raw(oid: string, type = 'commit'): Buffer {
    return execFileSync('git', ['-C', this.tree.directory, 'cat-file', type, oid]);
  }

  write(type: 'commit' | 'tag', bytes: Buffer): Promise<string> {
    return this.tree.writeObject(type, bytes);
  }

  /** The armored signature of ssh-keygen. */
  async sshSign(key: string, message: Buffer, namespace = 'git', ...options: string[]): Promise<string> {
    const args = ['-Y', 'sign', '-n', namespace, '-f', this.file(key), ...options];
    return (await piped('ssh-keygen', args, message)).toString('latin1');
  }

  /** What `git verify-commit` or `git verify-tag` says. */
  async gitSays(oid: string, files: { allowed: string; revoked?: string | Buffer }, type = 'commit'): Promise<boolean> {
    await writeFile(this.file('allowed'), files.allowed);
    const config = ['-c', `gpg.ssh.allowedSignersFile=${this.file('allowed')}`];
    if (files.revoked !== undefined) {
      await writeFile(this.file('revoked'), files.revoked);
      config.push('-c', `gpg.ssh.revocationFile=${this.file('revoked')}`);
    }
    const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GNUPGHOME: this.gnupg };
    const verification = run('git', ['-C', this.tree.directory, ...config, `verify-${type}`, oid], { env });
    return verification.then(
      () => true,
      (error) => {
        if (typeof error.code === 'number') return false;
        throw error;
      },
    );
  }

  /** `good`, `unsigned`, or the code of the error. */
  async weSay(oid: string, files: SignerFiles, type: 'commit' | 'tag' = 'commit', now = new Date()): Promise<string> {
    return outcome(type, oid, this.raw(oid, type), files, now);
  }

  async gpg(...args: string[]): Promise<Buffer> {
    return piped('gpg', ['--homedir', this.gnupg, '--batch', '--yes', '--pinentry-mode', 'loopback', ...args]);
  }
}

/** Names of files stand for their contents here. */
export function sshFiles(allowed: string | Buffer, revoked?: string | Buffer): SignerFiles {
  const file = (name: string, content: string | Buffer) => ({ file: name, bytes: Buffer.from(content) });
  return {
    ssh: {
      allowedSigners: file('allowed', allowed),
      ...(revoked !== undefined && { revoked: file('revoked', revoked) }),
    },
  };
}

export async function outcome(
  type: 'commit' | 'tag',
  oid: string,
  bytes: Buffer,
  files: SignerFiles,
  now = new Date(),
): Promise<string> {
  try {
    const judged = await (await Signers.read(files)).verify(readSigned(type, oid, bytes), now);
    return judged.outcome === 'refused' ? judged.error.code : judged.outcome;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return String(error.code);
    throw error;
  }
}

export async function piped(command: string, args: string[], input?: Buffer): Promise<Buffer> {
  const child = spawn(command, args, { stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] });
  const [output, errors]: [Buffer[], Buffer[]] = [[], []];
  child.stdout?.on('data', (bytes) => output.push(bytes));
  child.stderr?.on('data', (bytes) => errors.push(bytes));
  child.stdin?.end(input);
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${Buffer.concat(errors)}`);
  return Buffer.concat(output);
}

/** A commit or tag as git would have signed it, from what is to be signed. */
export function withSignature(payload: string, armored: string): Buffer {
  const header = `gpgsig ${armored.replace(/\n+$/, '').replaceAll('\n', '\n ')}\n`;
  const end = payload.indexOf('\n\n') + 1;
  return Buffer.from(payload.slice(0, end) + header + payload.slice(end), 'latin1');
}
