import { CONFIG_PATH, type RepositoryConfig } from '../../config/repository.ts';
import type { Manifest } from '../../format/manifest/manifest.ts';
import type { Keyring } from '../../keys/keyring.ts';
import { activeKey } from '../../keys/recipient.ts';
import { command } from '../command.ts';
import { type Finding, finding } from '../finding.ts';

export const KEYRING_FOLDER = '.coffer/recipients/';

/** Recipients that a manifest lists and nobody knows, and those that it should list. */
export function recipientFindings(manifest: Manifest, keyring: Keyring, config: RepositoryConfig): Finding[] {
  const { file, namespace, name } = manifest;
  const unknown = manifest.recipients.flatMap((recipient, index) => {
    if (isKnown(keyring, recipient)) return [];
    const { line } = manifest.document.position(['spec', 'recipients', index]);
    return [
      finding(
        'CHECK_RECIPIENT_UNKNOWN',
        { file, line, namespace, name, recipient },
        {
          message: `recipient ${recipient} is not in the keyring`,
          advice: `Correct the name, or add ${KEYRING_FOLDER}${recipient}.yaml.`,
        },
      ),
    ];
  });
  const missing = config.requiredRecipients
    .filter((recipient) => !manifest.recipients.includes(recipient))
    .map((recipient) => {
      const { line } = manifest.document.position(['spec', 'recipients']);
      return finding(
        'CHECK_RECIPIENT_REQUIRED',
        { file, line, namespace, name, recipient },
        {
          message: `${recipient} is required by ${CONFIG_PATH} and not a recipient`,
          advice: `Let somebody who can open it run ${command('rewrap', file, '--add', recipient)}.`,
        },
      );
    });
  return [...unknown, ...missing];
}

/** Recipients of the keyring to which nothing can be sealed, though manifests or the configuration name them. */
export function idleRecipientFindings(keyring: Keyring, named: ReadonlySet<string>): Finding[] {
  return [...keyring.recipients.values()]
    .filter((recipient) => named.has(recipient.name) && activeKey(recipient) === undefined)
    .map((recipient) =>
      finding(
        'CHECK_RECIPIENT_NO_ACTIVE_KEY',
        { file: recipient.file, recipient: recipient.name },
        {
          message: `${recipient.name} is in use and has no active key, so nothing more can be sealed to it`,
          advice: 'Give it a new key, or remove it from the manifests that list it.',
        },
      ),
    );
}

/** Names in the configuration that the keyring does not know. */
export function configFindings(config: RepositoryConfig, keyring: Keyring): Finding[] {
  const named = new Set([...config.requiredRecipients, ...config.rules.flatMap(({ recipients }) => recipients)]);
  return [...named]
    .filter((recipient) => !isKnown(keyring, recipient))
    .map((recipient) =>
      finding(
        'CHECK_CONFIG_RECIPIENT',
        { file: CONFIG_PATH, recipient },
        {
          message: `recipient ${recipient} is not in the keyring`,
          advice: `Correct the name, or create it: \`coffer recipients create ${recipient} --type cluster\`.`,
        },
      ),
    );
}

/** One whose file has a problem is not unknown as well: that would send people to the wrong file. */
function isKnown(keyring: Keyring, recipient: string): boolean {
  const file = `${KEYRING_FOLDER}${recipient}.yaml`;
  return keyring.recipients.has(recipient) || keyring.problems.some(({ data }) => data.file === file);
}
