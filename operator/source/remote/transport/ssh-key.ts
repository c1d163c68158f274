import { createHash, createPrivateKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { ParsedKey } from 'ssh2';
import { CofferError } from '../../../../core/errors.ts';
import { readLine } from '../credentials.ts';

export interface SshKeyFiles {
  sshKeyFile: string;
  sshPassphraseFile?: string | undefined;
}

export interface SshKey {
  /** Of the files: a key is derived again, by a function that is slow on purpose, only when they change. */
  digest: string;
  key: ParsedKey;
}

const TYPES = new Set(['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521', 'ssh-rsa']);

/** RFC 7468, section 11; RFC 1421, section 4.6.1.1, as OpenSSL writes it. */
const ENCRYPTED = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED\r?$/m;

/**
 * The private key as its files are now; `known`, if they are as they were. Throws `SSH_KEY_UNREADABLE`, `SSH_PASSPHRASE`,
 * `SOURCE_CREDENTIALS_UNREADABLE`.
 */
export async function readSshKey(files: SshKeyFiles, known: SshKey | undefined): Promise<SshKey> {
  const { sshKeyFile: file, sshPassphraseFile } = files;
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw unreadable(file, 'cannot be read', cause);
  });
  const passphrase = sshPassphraseFile === undefined ? undefined : await readLine(sshPassphraseFile);
  const digest = createHash('sha256')
    .update(bytes)
    .update('\0')
    .update(passphrase ?? '')
    .digest('hex');
  if (digest === known?.digest) return known;
  const { utils } = (await import('ssh2')).default;
  const parsed = utils.parseKey(asSshReads(bytes, passphrase, file), passphrase);
  if (parsed instanceof Error) {
    if (/passphrase|integrity check failed/i.test(parsed.message)) throw wrongPassphrase(files, parsed);
    throw unreadable(file, 'is no private key that can be used', parsed);
  }
  const [key] = Array.isArray(parsed) ? parsed : [parsed];
  if (key === undefined || !key.isPrivateKey()) throw unreadable(file, 'is no private key');
  if (!TYPES.has(key.type)) throw unreadable(file, 'is of a type that is not used: ed25519, ecdsa and rsa are');
  return { digest, key };
}

/** ssh2 knows the form of OpenSSH, and of PEM those that name the kind of key. */
function asSshReads(bytes: Buffer, passphrase: string | undefined, file: string): Buffer | string {
  const text = bytes.toString('latin1');
  if (!text.includes('-----BEGIN ') || text.includes('-----BEGIN OPENSSH PRIVATE KEY-----')) return bytes;
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: bytes, ...(passphrase === undefined ? {} : { passphrase }) });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    // By a wrong one the padding comes out right once in some hundred times, and what is no key behind it.
    const isGarbled = passphrase !== undefined && ENCRYPTED.test(text);
    if (isGarbled || /PASSPHRASE|DECRYPT|INTERRUPTED_OR_CANCELLED/.test(code))
      throw wrongPassphrase({ sshKeyFile: file }, cause);
    throw unreadable(file, 'is no private key that can be used', cause);
  }
  if (key.asymmetricKeyType === 'rsa') return key.export({ type: 'pkcs1', format: 'pem' });
  if (key.asymmetricKeyType === 'ec') return key.export({ type: 'sec1', format: 'pem' });
  throw unreadable(file, 'is in a form that is not used for its type');
}

function unreadable(file: string, what: string, cause?: unknown): CofferError {
  return new CofferError('SSH_KEY_UNREADABLE', `the ssh key file ${file} ${what}`, {
    advice: 'Check `sshKeyFile`: a private key as `ssh-keygen -t ed25519` writes it, which the operator may read.',
    data: { path: file },
    loop: 'retry',
    cause,
  });
}

function wrongPassphrase({ sshKeyFile: file, sshPassphraseFile }: SshKeyFiles, cause: unknown): CofferError {
  const what = sshPassphraseFile === undefined ? 'is encrypted' : `does not open with ${sshPassphraseFile}`;
  return new CofferError('SSH_PASSPHRASE', `the ssh key file ${file} ${what}`, {
    advice: 'Put its passphrase, in one line, into the file that `sshPassphraseFile` names.',
    data: { path: file },
    loop: 'retry',
    cause,
  });
}
