/** A repository and key directories of the bench's own, and the built programs that are measured. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Program } from './measure.ts';

const RECIPIENT = 'production';

export class Workplace {
  readonly folder: string;
  readonly #dist: string;

  /** `dist` is the folder of the built programs. */
  constructor(dist: string) {
    this.#dist = dist;
    if (!existsSync(join(dist, 'coffer.js'))) throw new Error(`${dist} holds no coffer.js: run \`npm run build\``);
    this.folder = mkdtempSync(join(tmpdir(), 'coffer-bench-'));
    for (const name of ['home', 'keys', 'ejson-keys', 'repository']) mkdirSync(join(this.folder, name));
    this.#setUpRepository();
  }

  get repository(): string {
    return join(this.folder, 'repository');
  }

  get keyDirectory(): string {
    return join(this.folder, 'keys');
  }

  get ejsonKeyDirectory(): string {
    return join(this.folder, 'ejson-keys');
  }

  get environment(): NodeJS.ProcessEnv {
    return {
      PATH: process.env.PATH,
      HOME: join(this.folder, 'home'),
      XDG_CACHE_HOME: join(this.folder, 'home', '.cache'),
      COFFER_KEY_DIR: this.keyDirectory,
      EJSON_KEYDIR: this.ejsonKeyDirectory,
      GIT_CONFIG_NOSYSTEM: '1',
    };
  }

  /** The built CLI, run from the repository. */
  coffer(args: string[], streams: Pick<Program, 'input' | 'output'> = {}): Program {
    return this.program(process.execPath, [join(this.#dist, 'coffer.js'), ...args], streams);
  }

  operator(args: string[]): Program {
    return this.program(process.execPath, [join(this.#dist, 'coffer-operator.js'), ...args]);
  }

  program(program: string, args: string[], streams: Pick<Program, 'input' | 'output'> = {}): Program {
    return { program, args, cwd: this.repository, env: this.environment, ...streams };
  }

  /** Path of a new file in the repository. */
  write(name: string, text: string): string {
    const path = join(this.repository, name);
    writeFileSync(path, text);
    return path;
  }

  /** Runs without measuring; returns standard output. */
  run({ program, args, cwd, env }: Program): string {
    const { status, stdout, stderr } = spawnSync(program, args, { cwd, env, encoding: 'utf8', maxBuffer: 1 << 28 });
    if (status !== 0) throw new Error(`${program} ${args.slice(0, 4).join(' ')} failed (${status}): ${stderr}`);
    return stdout;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #setUpRepository(): void {
    this.run(this.program('git', ['init', '-q', '-b', 'main']));
    this.run(this.program('git', ['config', 'user.name', 'Bench']));
    this.run(this.program('git', ['config', 'user.email', 'bench@example.org']));
    this.run(this.coffer(['init', '--no-hook']));
    this.run(this.coffer(['recipients', 'create', RECIPIENT, '--type', 'cluster', '--key-dir', this.keyDirectory]));
  }
}

/** Printable, of the length that passwords and tokens have, and the same in every run. */
export function secretValue(index: number): string {
  return `s3cr3t/${index.toString(36).padStart(6, '0')}+${'k9Qz'.repeat(5)}`;
}

export function entryNames(count: number): string[] {
  return [...Array(count).keys()].map((index) => `ENTRY_${index}`);
}

/** A manifest in plaintext, waiting to be sealed. */
export function plaintextManifest(name: string, entries: number, namespace = 'bench'): string {
  const data = entryNames(entries).map((entry, index) => `    ${entry}: "${secretValue(index)}"\n`);
  return `apiVersion: coffer.dev/v1
kind: EncryptedSecret
metadata:
  name: ${name}
  namespace: ${namespace}
spec:
  recipients: [${RECIPIENT}]
  readers:
    - name: app
  data:
${data.join('')}`;
}

/** The same values as a Kubernetes Secret, which sops and kubeseal take. */
export function plaintextSecret(name: string, entries: number, namespace = 'bench'): string {
  const data = entryNames(entries).map((entry, index) => `  ${entry}: "${secretValue(index)}"\n`);
  return `apiVersion: v1
kind: Secret
metadata:
  name: ${name}
  namespace: ${namespace}
stringData:
${data.join('')}`;
}

export function plaintextEjson(publicKey: string, entries: number): string {
  const document: Record<string, string> = { _public_key: publicKey };
  for (const [index, entry] of entryNames(entries).entries()) document[entry] = secretValue(index);
  return `${JSON.stringify(document, null, 2)}\n`;
}
