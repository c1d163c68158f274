import { createHash, type KeyObject, sign } from 'node:crypto';
import { writeLoose } from '../../../core/git/objects/loose-object.ts';

const WHO = 'Bench <bench@example.org> 1700000000 +0000';

/**
 * Puts so many commits, signed with an ed25519 key as git signs (PROTOCOL.sshsig, namespace `git`), upon a commit; returns the
 * last one. All have the same tree: what is measured is the signatures.
 */
export function writeSignedChain(
  objects: string,
  { key, from, tree, count }: { key: KeyObject; from: string; tree: string; count: number },
): string {
  let parent = from;
  for (let number = 0; number < count; number++) {
    const header = `tree ${tree}\nparent ${parent}\nauthor ${WHO}\ncommitter ${WHO}\n`;
    const message = `\nChange ${number}\n`;
    const signature = armored(key, Buffer.from(header + message));
    const signed = `${header}gpgsig ${signature.replaceAll('\n', '\n ')}\n${message}`;
    parent = writeLoose(objects, 'commit', Buffer.from(signed));
  }
  return parent;
}

function armored(key: KeyObject, payload: Buffer): string {
  const digest = createHash('sha512').update(payload).digest();
  const [namespace, reserved, hash] = [string('git'), string(''), string('sha512')];
  const toSign = Buffer.concat([Buffer.from('SSHSIG'), namespace, reserved, hash, string(digest)]);
  const signature = Buffer.concat([string('ssh-ed25519'), string(sign(null, toSign, key))]);
  const version = Buffer.from([0, 0, 0, 1]);
  const parts = [version, string(publicBlob(key)), namespace, reserved, hash, string(signature)];
  const lines = Buffer.concat([Buffer.from('SSHSIG'), ...parts])
    .toString('base64')
    .match(/.{1,70}/g);
  return `-----BEGIN SSH SIGNATURE-----\n${(lines ?? []).join('\n')}\n-----END SSH SIGNATURE-----`;
}

/** As `authorized_keys` has it in base64: RFC 8709. */
export function publicBlob(key: KeyObject): Buffer {
  const point = Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url');
  return Buffer.concat([string('ssh-ed25519'), string(point)]);
}

function string(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
