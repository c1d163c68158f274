import { CofferError } from '../../errors.ts';
import { refusal } from '../refusal.ts';
import { linesOf, type SignersFile } from '../signers-file.ts';
import { type AllowedSigner, readAllowedLine } from './allowed-line.ts';
import type { Certificate } from './certificate.ts';
import { matchesPatternList } from './pattern-list.ts';

/** What git signs commits and tags for. */
export const NAMESPACE = 'git';

/** The signers of an allowed_signers file, found by key. */
export class AllowedSigners {
  readonly #byKey = new Map<string, AllowedSigner[]>();
  readonly #byAuthority = new Map<string, AllowedSigner[]>();

  /** @throws CofferError SIGNERS_ALLOWED_LINE, with file and line */
  static read(file: SignersFile): AllowedSigners {
    const signers = new AllowedSigners();
    const refuseAt = (line: number, what: string): CofferError =>
      new CofferError('SIGNERS_ALLOWED_LINE', `line ${line} of ${file.file} has ${what}`, {
        advice: 'Correct the line; ssh-keygen(1) describes it under ALLOWED SIGNERS.',
        data: { file: file.file, line },
      });
    for (const { text, number } of linesOf(file, refuseAt)) {
      const signer = readAllowedLine(text, (what) => refuseAt(number, what));
      const lines = signer.isAuthority ? signers.#byAuthority : signers.#byKey;
      const id = signer.key.blob.toString('base64');
      const same = lines.get(id);
      if (same === undefined) lines.set(id, [signer]);
      else same.push(signer);
    }
    return signers;
  }

  /** The lines with this key, whether or not they count now. */
  find(blob: Buffer): readonly AllowedSigner[] {
    return this.#byKey.get(blob.toString('base64')) ?? [];
  }

  /** The lines with this key as an authority. */
  findAuthority(blob: Buffer): readonly AllowedSigner[] {
    return this.#byAuthority.get(blob.toString('base64')) ?? [];
  }
}

/**
 * Who these lines say that the signer is at `now` (seconds since 1970). A principal that is a pattern is a name as it
 * stands there; what is negated is none.
 *
 * @throws CofferError SIGNATURE_KEY_NOT_VALID
 */
export function principalsOf(lines: readonly AllowedSigner[], now: number): string[] {
  const names = lines.filter((line) => countsNow(line, now)).flatMap(({ principals }) => namesIn(principals));
  return atLeastOne(new Set(names), lines);
}

/** Those that the whole list lets in: `ada,!*` names nobody. */
function namesIn(principals: string): string[] {
  return principals.split(',').filter((name) => !name.startsWith('!') && matchesPatternList(name, principals));
}

/**
 * The same for a certificate by the authority of these lines: its own principals, as far as a line has them.
 *
 * @throws CofferError SIGNATURE_KEY_NOT_VALID
 */
export function certifiedPrincipalsOf(
  lines: readonly AllowedSigner[],
  certificate: Certificate,
  now: number,
): string[] {
  const { principals, validAfter, validBefore } = certificate;
  if (now < validAfter || now >= validBefore) {
    throw refusal(
      'SIGNATURE_KEY_NOT_VALID',
      `the certificate of ${certificate.key.fingerprint} is expired, or not valid yet`,
    );
  }
  const counting = lines.filter((line) => countsNow(line, now));
  const names = principals.filter((name) => counting.some((line) => matchesPatternList(name, line.principals)));
  return atLeastOne(new Set(names), lines);
}

function countsNow({ namespaces, validAfter = 0, validBefore = Infinity }: AllowedSigner, now: number): boolean {
  const isForGit = namespaces === undefined || matchesPatternList(NAMESPACE, namespaces);
  return isForGit && validAfter <= now && now <= validBefore;
}

function atLeastOne(names: ReadonlySet<string>, lines: readonly AllowedSigner[]): string[] {
  if (names.size > 0) return [...names];
  const reason =
    'but its line does not hold now, or not for git, or names nobody (valid-after, valid-before, namespaces, principals)';
  const fingerprint = lines[0]?.key.fingerprint;
  throw refusal('SIGNATURE_KEY_NOT_VALID', `the key ${fingerprint} is among the signers, ${reason}`);
}
