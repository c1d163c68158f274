import { pae } from '../../../core/crypto/pae.ts';
import { inSodium } from '../../../core/crypto/sodium.ts';
import { type Binding, boundParts } from '../../../core/format/sealed/binding.ts';
import type { DataKey } from '../../../core/format/sealed/data-key.ts';
import { randomFrom } from './random.ts';

/** A value as a faulty writer would seal it: padded by the caller, or not. Otherwise docs/format.md, "Value". */
export function sealPadded(padded: Buffer, dataKey: DataKey, binding: Binding, entry: string): string {
  const nonce = randomFrom(`padded ${padded.toString('hex')}`)(24);
  const aad = pae('coffer/v1/value', ...boundParts(binding), entry);
  const sealed = inSodium((sodium, memory) => {
    const ciphertext = memory.room(padded.length + 16);
    sodium._crypto_aead_xchacha20poly1305_ietf_encrypt(
      ciphertext,
      0,
      memory.put(padded),
      padded.length,
      0,
      memory.put(aad),
      aad.length,
      0,
      0,
      memory.put(nonce),
      memory.put(dataKey.key),
    );
    return memory.take(ciphertext, padded.length + 16);
  });
  return `CF[1:${dataKey.id}:${Buffer.concat([nonce, sealed]).toString('base64url')}]`;
}
