/**
 * What `coffer check` looks for. A rule's id is stable: people write it into their CI's configuration. Problems of form
 * are not listed here, they keep the codes that reading the file gives them (docs/errors.md). docs/checks.md says of
 * each rule why it is one and what to do.
 */
export const RULES = {
  CHECK_PLAINTEXT: {
    level: 'error',
    summary: 'A manifest holds a value in plaintext',
  },
  CHECK_TEMPLATE_SECRET: {
    level: 'error',
    summary: 'The fixed text of a template looks like a secret',
  },
  CHECK_TEMPLATE_RANDOM: {
    level: 'warning',
    summary: 'The fixed text of a template holds something that looks random',
  },
  CHECK_KUBERNETES_SECRET: {
    level: 'error',
    summary: 'A Kubernetes Secret stands in the repository in plaintext',
  },
  CHECK_EJSON_PLAINTEXT: {
    level: 'error',
    summary: 'An ejson file holds a value in plaintext',
  },
  CHECK_SECRET_KEY: {
    level: 'error',
    summary: 'A file holds a secret key',
  },
  CHECK_RECIPIENT_UNKNOWN: {
    level: 'error',
    summary: 'A recipient is not in the keyring',
  },
  CHECK_RECIPIENT_REQUIRED: {
    level: 'error',
    summary: 'A manifest is not sealed to a recipient that the repository requires',
  },
  CHECK_RECIPIENT_NO_ACTIVE_KEY: {
    level: 'warning',
    summary: 'A recipient in use has no active key: nothing can be sealed to it',
  },
  CHECK_KEY_ROLLED_BACK: {
    level: 'error',
    summary: 'A key of a recipient is gone, and an older one is active in its place',
  },
  CHECK_KEY_STATUS_BACK: {
    level: 'error',
    summary: 'A key of a recipient was retired or revoked, and is not any more',
  },
  CHECK_KEY_GONE: {
    level: 'warning',
    summary: 'A key of a recipient is gone from its file',
  },
  CHECK_STANZA_PENDING: {
    level: 'warning',
    summary: 'A listed recipient cannot open all values yet',
  },
  CHECK_STANZA_NONE: {
    level: 'error',
    summary: 'Values are sealed under a data key that nobody can open',
  },
  CHECK_STANZA_UNLISTED: {
    level: 'error',
    summary: 'A stanza is for a recipient that the manifest does not list',
  },
  CHECK_STANZA_UNKNOWN_KEY: {
    level: 'error',
    summary: 'A stanza is for a key that its recipient does not have',
  },
  CHECK_STANZA_RETIRED: {
    level: 'warning',
    summary: 'A stanza is for a retired key',
  },
  CHECK_STANZA_REVOKED: {
    level: 'error',
    summary: 'A stanza is for a revoked key',
  },
  CHECK_STANZA_WAITS: {
    level: 'warning',
    summary: 'A stanza is for a key that is just being revoked, or whose recipient has no other yet',
  },
  CHECK_DATA_KEY_UNUSED: {
    level: 'warning',
    summary: 'A data key is kept that no value names',
  },
  CHECK_COPIED_MANIFEST: {
    level: 'error',
    summary: 'Ciphertext was copied from another manifest, and cannot be opened here',
  },
  CHECK_COPIED_VALUE: {
    level: 'error',
    summary: 'Ciphertext was copied from another entry, and cannot be opened here',
  },
  CHECK_READERS_NONE: {
    level: 'warning',
    summary: 'No workload may read a manifest',
  },
  CHECK_READER_ENTRY_UNKNOWN: {
    level: 'error',
    summary: 'A reader is granted an entry that does not exist',
  },
  CHECK_READER_TEMPLATE_PARTS: {
    level: 'warning',
    summary: 'A reader is granted a template entry but not all that it is made of, and so does not get it',
  },
  CHECK_ROTATION_OVERDUE: {
    level: 'warning',
    summary: 'A value is older than its rotation allows, or a former one should be gone',
  },
  CHECK_ROTATION_OVERLAP: {
    level: 'warning',
    summary: 'A former value stays for longer than the value itself',
  },
  CHECK_ROTATION_CERTIFICATE: {
    level: 'error',
    summary: 'A certificate ends before it is made anew',
  },
  CHECK_ROTATION_NOBODY: {
    level: 'warning',
    summary: 'No operator runs the rotator that an entry names',
  },
  CHECK_ROTATION_TEMPLATE: {
    level: 'error',
    summary: 'A template names a former value, which comes and goes',
  },
  CHECK_ROTATION_PREVIOUS: {
    level: 'warning',
    summary: 'An entry has the name of a former value that no rotation keeps',
  },
  CHECK_TWO_OWNERS: {
    level: 'error',
    summary: 'Two manifests give one recipient a secret of the same namespace and name',
  },
  CHECK_SIZE: {
    level: 'warning',
    summary: 'A manifest is larger than `kubectl apply` can take',
  },
  CHECK_SYMLINK: {
    level: 'error',
    summary: 'A manifest is reached by a symbolic link, which operators do not follow',
  },
  CHECK_CONFIG_RECIPIENT: {
    level: 'error',
    summary: 'The configuration names a recipient that is not in the keyring',
  },
  CHECK_EXPOSED: {
    level: 'error',
    summary: 'A current value is one that a revoked key could open',
  },
  CHECK_EXPOSED_RESEALED: {
    level: 'error',
    summary: 'A value may be one that a revoked key could open, sealed anew: it is not proven to be another',
  },
  CHECK_EXPOSED_UNREAD: {
    level: 'error',
    summary: 'A commit could not be compared, so that what it exposed is not known',
  },
  CHECK_TRUST_SIGNATURE: {
    level: 'error',
    summary: 'A commit has no good signature by a signer of the trust policy',
  },
  CHECK_TRUST_NOT_GRANTED: {
    level: 'error',
    summary: 'A commit changes what the trust policy does not grant its signer in that path',
  },
  CHECK_TRUST_NAMESPACE: {
    level: 'error',
    summary: 'A manifest writes to a namespace that its path may not write to',
  },
  CHECK_TRUST_OLD_DATA_KEY: {
    level: 'error',
    summary: 'A commit gives an entry a ciphertext that it never held, under a data key that was there before',
  },
  CHECK_TRUST_RETURN_EXPOSED: {
    level: 'error',
    summary: 'A commit takes an entry back to a value that was sealed to a key that is revoked today',
  },
  CHECK_TRUST_ROLLED_BACK: {
    level: 'error',
    summary: 'A merge brings an older state in place of a newer one, and no commit says that this is meant',
  },
  CHECK_TRUST_RETURN: {
    level: 'warning',
    summary: 'A commit takes an entry back to an earlier value',
  },
} as const satisfies Record<string, { level: Level; summary: string }>;

export type Level = 'error' | 'warning';
export type RuleId = keyof typeof RULES;
