/** The grammars of docs/format.md, as anchored patterns. They are checked before anything is decoded. */

export const API_VERSION = 'coffer.dev/v1';

/** Where the generated schemas say that they live: `# yaml-language-server: $schema=` takes a path as well. */
export const SCHEMA_BASE = 'https://coffer.dev/schemas/v1';

const name = '[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?';

/** Recipients and namespaces: a DNS-1123 label. */
export const NAME = `^${name}$`;
/** Manifests: a DNS-1123 subdomain, at most 253 characters. */
export const MANIFEST_NAME = `^(?=.{1,253}$)${'[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*'}$`;
/** Entries: as Kubernetes names the keys of a Secret. `__proto__` is a legal one. */
export const ENTRY = '^(?!\\.$)(?!\\.\\.)[-._a-zA-Z0-9]{1,253}$';
/** A reader of a manifest: a workload of its namespace, or all of them. */
export const READER = `^(?:\\*|(?=.{1,253}$)${'[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*'})$`;
/** A namespace name or glob (`team-*`), for manifests of scope cluster. */
export const NAMESPACE_GLOB = '^[-a-z0-9*?]{1,63}$';
export const WORKLOAD = `^${name}/${'[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?'}$`;
/** Key id: BLAKE2b-128 in lower-case hex. */
export const KEY_ID = '^[0-9a-f]{32}$';
/** Data key id: 24 bytes in base64url. */
export const DATA_KEY_ID = '^[A-Za-z0-9_-]{32}$';
/** KID ‖ enc (1,120 bytes) ‖ ciphertext of a 32-byte key (48 bytes). */
export const STANZA = '^[0-9a-f]{32}:[A-Za-z0-9_-]{1558}$';
export const SEALED_VALUE = '^CF\\[1:[A-Za-z0-9_-]{32}:[A-Za-z0-9_-]{96,}\\]$';
export const TIMESTAMP = '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$';
export const DURATION = '^[1-9][0-9]{0,5}(?:ms|s|m|h|d)$';
export const PUBLIC_KEY = '^coffer-public-1-[A-Za-z0-9_-]+$';
export const IDENTITY = '^coffer-identity-1-[A-Za-z0-9_-]+$';
/** Of an OpenPGP key, version 4 or 6. */
export const FINGERPRINT = '^[0-9A-F]{40}(?:[0-9A-F]{24})?$';
/** A signer's name: as a principal of ssh-keygen's allowed signers, without what has a meaning in their patterns. */
export const SIGNER = '^[^\\s!,*?"]{1,255}$';
/** The full id of a commit: SHA-1 in lower-case hex. */
export const COMMIT = '^[0-9a-f]{40}$';
export const REPOSITORY_ID = '^[A-Za-z0-9_-]{22}$';

/** What each pattern asks for, for people: goes on from "Use ". */
export const PATTERN_ADVICE: Readonly<Record<string, string>> = {
  [NAME]: 'lower-case letters, digits and hyphens, at most 63, beginning and ending with a letter or digit',
  [MANIFEST_NAME]: 'lower-case letters, digits, hyphens and dots, as in a DNS name',
  [ENTRY]: 'letters, digits, `-`, `_` and `.`, at most 253, not beginning with `..`',
  [READER]: 'the name of a workload, or "*" for all of the namespace',
  [NAMESPACE_GLOB]: 'the name of a namespace, in which `*` and `?` stand for others',
  [WORKLOAD]: 'NAMESPACE/NAME',
  [KEY_ID]: 'the 32 hexadecimal digits of a key id, in lower case and quoted',
  [DATA_KEY_ID]: 'a data key id as coffer writes it: 32 characters of base64url',
  [STANZA]: 'a stanza as coffer writes it: `KID:` and 1,558 characters of base64url',
  [TIMESTAMP]: 'a time as "2026-11-21T09:00:00Z", quoted',
  [DURATION]: 'a duration such as 30s, 12h or 90d',
  [PUBLIC_KEY]: 'a text that begins coffer-public-1-',
  [IDENTITY]: 'a text that begins coffer-identity-1-',
  [FINGERPRINT]: 'the 40 (or 64) hexadecimal digits of a fingerprint, in upper case and without spaces',
  [SIGNER]: 'a name such as an e-mail address, without spaces, quotes, commas, `*`, `?` or `!`',
  [COMMIT]: 'the 40 hexadecimal digits of a commit, in lower case and quoted',
  [REPOSITORY_ID]: 'the 22 characters that `coffer init` wrote',
};

export const LIMITS = {
  documentBytes: 1024 * 1024,
  warnBytes: 250_000,
  recipients: 64,
  entries: 256,
} as const;
