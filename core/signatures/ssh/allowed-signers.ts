import { CofferError } from '../../errors.ts';
import { refusal } from '../refusal.ts';
import { linesOf, type SignersFile } from '../signers-file.ts';
import { type AllowedSigner, readAllowedLine } from './allowed-line.ts';
import { matchesPatternList } from './pattern-list.ts';

/** What git signs commits and tags for. */
export const NAMESPACE = 'git';

/** The signers of an allowed_signers file, found by key. */
export class AllowedSigners {
  readonly #byKey = new Map<string, AllowedSigner[]>();

  /** @throws CofferError SIGNERS_ALLOWED_LINE, with file and line */
  static read(file: SignersFile): AllowedSigners {
    const signers = new AllowedSigners();
    const refuseAt = (line: number, what: string): CofferError =>
      new CofferError('SIGNERS_ALLOWED_LINE', `line ${line} of ${file.file} has ${what}`, {
        advice: 'Correct the line; ssh-keygen(1) has its form under ALLOWED SIGNERS.',
        data: { file: file.file, line },
      });
    for (const { text, number } of linesOf(file, refuseAt)) {
      const signer = readAllowedLine(text, (what) => refuseAt(number, what));
      if (signer.isAuthority) throw refuseAt(number, 'a certificate authority, which coffer does not support');
      const id = signer.key.blob.toString('base64');
      signers.#byKey.set(id, [...(signers.#byKey.get(id) ?? []), signer]);
    }
    return signers;
  }

  /** The lines with this key, whether or not they count now. */
  find(blob: Buffer): readonly AllowedSigner[] {
    return this.#byKey.get(blob.toString('base64')) ?? [];
  }
}

/**
 * Who these lines say that the signer is at `now` (seconds since 1970). A principal that is a pattern is a name as it
 * stands there; what is negated is none.
 *
 * @throws CofferError SIGNATURE_KEY_NOT_VALID
 */
export function principalsOf(lines: readonly AllowedSigner[], now: number): string[] {
  const names = new Set<string>();
  for (const { principals, namespaces, validAfter = 0, validBefore = Number.POSITIVE_INFINITY } of lines) {
    if (namespaces !== undefined && !matchesPatternList(NAMESPACE, namespaces)) continue;
    if (now < validAfter || now > validBefore) continue;
    for (const name of principals.split(',')) if (!name.startsWith('!')) names.add(name);
  }
  if (names.size === 0) {
    const key = lines[0]?.key.fingerprint;
    throw refusal(
      'SIGNATURE_KEY_NOT_VALID',
      `the key ${key} is among the signers, but not now, or not for git (valid-after, valid-before, namespaces)`,
    );
  }
  return [...names];
}
