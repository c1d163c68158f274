/** Why no new value is made. */
import { CofferError } from '../errors.ts';
import type { Manifest } from '../format/manifest/manifest.ts';

export function rotationUnknown(manifest: Manifest, entry: string): CofferError {
  const known = [...manifest.rotation.keys()].join(', ');
  return new CofferError('ROTATE_UNKNOWN', `The manifest does not say how ${entry} is rotated.`, {
    advice:
      known === ''
        ? `Write it under spec.rotation, or set the value with \`coffer set ${manifest.file} ${entry}\`.`
        : `It says so of ${known}; write ${entry} under spec.rotation, or set its value with \`coffer set\`.`,
    data: placeOf(manifest, entry),
    exit: 2,
  });
}

export function changedByHand(manifest: Manifest, entry: string): CofferError {
  return new CofferError('ROTATE_BY_HAND', `The manifest does not say how a new value of ${entry} is made.`, {
    advice: `Change it where it is used, and run \`coffer set ${manifest.file} ${entry}\`; or write generate or rotator under spec.rotation.`,
    data: placeOf(manifest, entry),
  });
}

export function changedByRotator(manifest: Manifest, entry: string, rotator: string): CofferError {
  return new CofferError(
    'ROTATE_BY_ROTATOR',
    `${entry} is rotated by ${rotator}, which changes it where it is used, too.`,
    {
      advice: `Leave it to the operator of the rotating cluster; there \`coffer-operator rotate ${manifest.namespace}/${manifest.name} ${entry} --config FILE\` has it done now.`,
      data: placeOf(manifest, entry),
    },
  );
}

export function previousNeedsKey(manifest: Manifest, entry: string, cause?: CofferError): CofferError {
  const why = cause === undefined ? '' : `: ${cause.message}`;
  return new CofferError(
    'ROTATE_PREVIOUS_NEEDS_KEY',
    `The former value of ${entry} is to stay for a while, and to keep it takes a secret key that opens it${why}.`,
    {
      advice: `Run it where a key of ${manifest.recipients.join(' or ')} is, leave it to the operator of the rotating cluster, or give the former value up with \`--drop-previous\`: who still uses it then fails at once.`,
      data: placeOf(manifest, entry),
      cause,
    },
  );
}

export function formerUnproven(
  { file, namespace, name }: Pick<Manifest, 'file' | 'namespace' | 'name'>,
  previous: string,
): CofferError {
  return new CofferError(
    'ROTATE_FORMER_UNPROVEN',
    `Nobody remembers which rotation left ${previous} of ${namespace}/${name}; people may have named it so, and it stays.`,
    {
      advice: `Take it away with \`coffer unset ${file} ${previous}\` when nobody needs it; where it is a credential, revoke it first. What is still needed gets another name.`,
      data: { file, namespace, name, entry: previous },
    },
  );
}

function placeOf({ file, line, namespace, name }: Manifest, entry: string) {
  return { file, line, namespace, name, entry };
}
