/** The other tools, each with one key of the strength that it makes by default. An absent one is undefined. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findPart } from '../parts/parts.ts';
import type { Program } from './measure.ts';
import type { Workplace } from './workplace.ts';

export interface Peers {
  sops: Sops | undefined;
  kubeseal: Kubeseal | undefined;
  ejson: string | undefined;
  /** What the tables leave out. */
  absent: string[];
}

export async function findPeers(workplace: Workplace): Promise<Peers> {
  const [sops, ageKeygen, kubeseal, openssl, ejson] = await Promise.all(
    (['sops', 'age-keygen', 'kubeseal', 'openssl', 'ejson'] as const).map(findPart),
  );
  const peers = {
    sops: sops && ageKeygen ? new Sops(sops, ageKeygen, workplace) : undefined,
    kubeseal: kubeseal && openssl ? new Kubeseal(kubeseal, openssl, workplace) : undefined,
    ejson,
  };
  const absent = Object.entries(peers).filter(([, peer]) => peer === undefined);
  return { ...peers, absent: absent.map(([name]) => name) };
}

/** sops with an age key; only what a Secret keeps in `data` and `stringData` is sealed. */
export class Sops {
  readonly program: string;
  readonly recipient: string;
  readonly #ageKeygen: string;
  readonly #keyFile: string;
  readonly #workplace: Workplace;

  constructor(program: string, ageKeygen: string, workplace: Workplace) {
    this.program = program;
    this.#ageKeygen = ageKeygen;
    this.#workplace = workplace;
    this.#keyFile = join(workplace.folder, 'age.key');
    workplace.run(workplace.program(ageKeygen, ['-o', this.#keyFile]));
    this.recipient = /public key: (\S+)/.exec(readFileSync(this.#keyFile, 'utf8'))?.[1] ?? '';
  }

  get encryptArguments(): string[] {
    return ['encrypt', '--age', this.recipient, '--encrypted-regex', '^(data|stringData)$', '-i'];
  }

  encrypt(file: string): Program {
    return this.#withKey(this.#workplace.program(this.program, [...this.encryptArguments, file]));
  }

  decrypt(file: string): Program {
    return this.#withKey(this.#workplace.program(this.program, ['decrypt', file]));
  }

  /** Sets one value of an encrypted file, read from `input`. */
  set(file: string, entry: string, input: string): Program {
    const args = ['set', '--value-stdin', file, `["stringData"]["${entry}"]`];
    return this.#withKey(this.#workplace.program(this.program, args, { input }));
  }

  /** A recipient of which nobody here has the secret key. */
  newRecipient(): string {
    const file = join(this.#workplace.folder, 'age-new.key');
    this.#workplace.run(this.#workplace.program(this.#ageKeygen, ['-o', file]));
    return /public key: (\S+)/.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
  }

  /** Brings files to the recipients that `.sops.yaml` names, in one process. */
  updateKeys(files: readonly string[]): Program {
    return this.#withKey(this.#workplace.program(this.program, ['updatekeys', '-y', ...files]));
  }

  updateKeysInLoop(files: readonly string[]): Program {
    const script = 'sops=$1; shift; for file; do "$sops" updatekeys -y "$file" || exit; done';
    return this.#withKey(this.#workplace.program('bash', ['-c', script, 'bash', this.program, ...files]));
  }

  #withKey(program: Program): Program {
    return { ...program, env: { ...program.env, SOPS_AGE_KEY_FILE: this.#keyFile } };
  }
}

/** kubeseal with an RSA-4096 certificate, as the controller makes; it opens with `--recovery-unseal`. */
export class Kubeseal {
  readonly program: string;
  readonly certificate: string;
  readonly privateKey: string;
  readonly #workplace: Workplace;

  constructor(program: string, openssl: string, workplace: Workplace) {
    this.program = program;
    this.#workplace = workplace;
    this.certificate = join(workplace.folder, 'kubeseal.crt');
    this.privateKey = join(workplace.folder, 'kubeseal.key');
    const request = ['req', '-x509', '-newkey', 'rsa:4096', '-nodes', '-subj', '/O=sealed-secret', '-days', '3650'];
    workplace.run(workplace.program(openssl, [...request, '-keyout', this.privateKey, '-out', this.certificate]));
  }

  seal(input: string, output: string): Program {
    return this.#workplace.program(this.program, ['--cert', this.certificate, '-o', 'yaml'], { input, output });
  }

  open(input: string): Program {
    const args = ['--recovery-unseal', '--recovery-private-key', this.privateKey, '-o', 'yaml'];
    return this.#workplace.program(this.program, args, { input });
  }
}
