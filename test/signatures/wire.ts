import { createHash } from 'node:crypto';

/** Writes what SSH reads (RFC 4251 §5), right or wrong as the test wants it. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function string(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

export function mpint(bytes: Buffer): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const shortest = bytes.subarray(start);
  return string((shortest[0] ?? 0) > 0x7f ? Buffer.concat([Buffer.of(0), shortest]) : shortest);
}

export interface SshSignatureParts {
  publicKey: Buffer;
  /** From what is signed to what SSH calls a signature. */
  sign: (data: Buffer) => Buffer;
  version?: number;
  namespace?: string;
  reserved?: string;
  hash?: string;
  trailing?: Buffer;
}

/** An armored SSH signature of a message, PROTOCOL.sshsig. As OpenSSH, it signs an empty reserved field always. */
export function sshSignature(message: Buffer, parts: SshSignatureParts): string {
  const { publicKey, version = 1, namespace = 'git', reserved = '', hash = 'sha512' } = parts;
  const digest = createHash(hash).update(message).digest();
  const signature = parts.sign(Buffer.concat([Buffer.from('SSHSIG'), ...[namespace, '', hash, digest].map(string)]));
  const fields = [string(publicKey), string(namespace), string(reserved), string(hash), string(signature)];
  const blob = Buffer.concat([Buffer.from('SSHSIG'), uint32(version), ...fields, parts.trailing ?? Buffer.alloc(0)]);
  const lines = blob.toString('base64').replace(/.{1,70}/g, '$&\n');
  return `-----BEGIN SSH SIGNATURE-----\n${lines}-----END SSH SIGNATURE-----\n`;
}
