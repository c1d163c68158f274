import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

export interface Certificate {
  certFile: string;
  keyFile: string;
  cert: Buffer;
  key: Buffer;
}

/** A certificate authority in a folder, by the real openssl. */
export class Authority {
  readonly #folder: string;
  readonly certificate: Certificate;

  static async open(folder: string, name = 'authority'): Promise<Authority> {
    const certificate = await make(folder, name, ['-addext', 'basicConstraints=critical,CA:TRUE']);
    return new Authority(folder, certificate);
  }

  private constructor(folder: string, certificate: Certificate) {
    this.#folder = folder;
    this.certificate = certificate;
  }

  /** For a server, or a client. `at`: where the server is. */
  async issue(name: string, at = 'IP:127.0.0.1'): Promise<Certificate> {
    const { certFile, keyFile } = this.certificate;
    return make(this.#folder, name, ['-CA', certFile, '-CAkey', keyFile, '-addext', `subjectAltName=${at}`]);
  }
}

async function make(folder: string, name: string, args: readonly string[]): Promise<Certificate> {
  const [certFile, keyFile] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  const subject = ['-subj', `/CN=${name}`, '-keyout', keyFile, '-out', certFile];
  await run('openssl', ['req', '-x509', '-days', '2', ...KEY, ...subject, ...args]);
  return { certFile, keyFile, cert: await readFile(certFile), key: await readFile(keyFile) };
}
