/** The real ejson binary over files in a folder of its own. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { storeKeypair } from '../../core/ejson/key-directory.ts';
import { Keypair } from '../../core/ejson/keypair.ts';

export interface ToolRun {
  status: number;
  stdout: Buffer;
  stderr: string;
}

export class RealEjson {
  readonly #program: string;
  readonly #folder: string;
  readonly keypair = Keypair.generate();
  #files = 0;

  private constructor(program: string, folder: string) {
    this.#program = program;
    this.#folder = folder;
  }

  static async open(program: string, folder: string): Promise<RealEjson> {
    const tool = new RealEjson(program, folder);
    mkdirSync(tool.keyDirectory, { recursive: true });
    await storeKeypair(tool.keyDirectory, tool.keypair);
    return tool;
  }

  get keyDirectory(): string {
    return join(this.#folder, 'keys');
  }

  run(...args: string[]): ToolRun {
    const { status, stdout, stderr } = spawnSync(this.#program, args, {
      env: { EJSON_KEYDIR: this.keyDirectory },
      maxBuffer: 256 * 1024 * 1024,
    });
    return { status: status ?? -1, stdout, stderr: stderr.toString() };
  }

  /** The texts as the tool seals them, in one run for all. Throws if it refuses any. */
  encryptAll(texts: readonly (string | Buffer)[]): Buffer[] {
    const paths = texts.map((text) => this.#write(text));
    const { status, stderr } = this.run('encrypt', ...paths);
    if (status !== 0) throw new Error(`ejson refused: ${stderr}`);
    return paths.map((path) => readFileSync(path));
  }

  encrypt(text: string | Buffer): ToolRun & { text: Buffer } {
    const path = this.#write(text);
    const run = this.run('encrypt', path);
    return { ...run, text: readFileSync(path) };
  }

  decrypt(text: string | Buffer): ToolRun {
    return this.run('decrypt', this.#write(text));
  }

  #write(text: string | Buffer): string {
    const path = join(this.#folder, `${this.#files++}.ejson`);
    writeFileSync(path, text);
    return path;
  }
}
