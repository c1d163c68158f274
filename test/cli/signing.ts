import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Desk } from './desk.ts';

/** Somebody's SSH key for signing commits, made by the real ssh-keygen in the desk's home. */
export class SigningKey {
  readonly name: string;
  readonly file: string;
  readonly #desk: Desk;

  constructor(desk: Desk, name: string) {
    this.#desk = desk;
    this.name = name;
    this.file = join(desk.home, `${name}-signing-key`);
    const made = desk.run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', this.file]);
    assert.equal(made.status, 0, made.stderr);
  }

  /** Its line of an allowed_signers file. */
  get allowed(): string {
    const [type, key] = readFileSync(`${this.file}.pub`, 'utf8').split(' ');
    return `${this.name} namespaces="git" ${type} ${key}\n`;
  }

  /** Has git sign what the desk commits from now on with it. */
  use(): void {
    this.#desk.git('config', 'gpg.format', 'ssh');
    this.#desk.git('config', 'user.signingkey', `${this.file}.pub`);
    this.#desk.git('config', 'commit.gpgsign', 'true');
  }
}

/** Commits of the desk are unsigned from now on. */
export function signNothing(desk: Desk): void {
  desk.git('config', 'commit.gpgsign', 'false');
}
