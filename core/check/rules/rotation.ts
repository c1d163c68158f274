import type { RepositoryConfig } from '../../config/repository.ts';
import type { Manifest } from '../../format/manifest/manifest.ts';
import { type EntryRotation, entryOfPrevious, mayRotate } from '../../format/manifest/rotation.ts';
import { templateEntries } from '../../format/manifest/template.ts';
import type { Keyring } from '../../keys/keyring.ts';
import { USUAL_DAYS } from '../../values/generate/usual.ts';
import { command } from '../command.ts';
import { type Finding, finding } from '../finding.ts';

const DAY = 86_400_000;

/** Rotations that do not do what somebody meant them to: docs/rotation.md, "Values". */
export function rotationFindings(manifest: Manifest, keyring: Keyring, config: RepositoryConfig): Finding[] {
  return [
    ...[...manifest.rotation].flatMap(([entry, row]) => [
      ...overlap(manifest, entry, row),
      ...certificate(manifest, entry, row),
      ...nobody(manifest, entry, row, keyring, config),
    ]),
    ...templates(manifest),
    ...orphans(manifest),
  ];
}

function overlap(manifest: Manifest, entry: string, { every, keepPrevious }: EntryRotation): Finding[] {
  if (every === undefined || keepPrevious === undefined || keepPrevious < every) return [];
  return [
    finding('CHECK_ROTATION_OVERLAP', placeOf(manifest, entry), {
      message: `the former value of ${entry} stays for longer than the value itself, so that there always is one`,
      advice: 'Write a keepPrevious that is shorter than every.',
    }),
  ];
}

function certificate(manifest: Manifest, entry: string, { every, generate }: EntryRotation): Finding[] {
  const days = generate?.days ?? USUAL_DAYS;
  if (generate?.kind !== 'tls' || every === undefined || every < days * DAY) return [];
  return [
    finding('CHECK_ROTATION_CERTIFICATE', placeOf(manifest, entry), {
      message: `the certificate of ${entry} is valid for ${days} days, and is made anew no sooner than it ends`,
      advice: 'Write more days, or a shorter every.',
    }),
  ];
}

/** What only an operator can do needs one that does it, and that can open the values. */
function nobody(
  manifest: Manifest,
  entry: string,
  { rotator }: EntryRotation,
  keyring: Keyring,
  { rotatingCluster }: RepositoryConfig,
): Finding[] {
  if (rotator === undefined) return [];
  const place = placeOf(manifest, entry);
  if (rotatingCluster === undefined) {
    const message = `${entry} is rotated by ${rotator}, and the configuration names no cluster whose operator does that`;
    return [
      finding('CHECK_ROTATION_NOBODY', place, {
        message,
        advice: 'Name it as rotatingCluster in .coffer/config.yaml.',
      }),
    ];
  }
  const isListed = manifest.recipients.some(
    (name) => name === rotatingCluster || keyring.recipients.get(name)?.members.includes(rotatingCluster) === true,
  );
  if (isListed) return [];
  return [
    finding('CHECK_ROTATION_NOBODY', place, {
      message: `${entry} is rotated by ${rotator} in ${rotatingCluster}, which is no recipient of this manifest`,
      advice: `Let a recipient run ${command('rewrap', manifest.file, '--add', rotatingCluster)}.`,
    }),
  ];
}

/** A manifest is refused whose template names an entry that is not there: a former value comes and goes. */
function templates(manifest: Manifest): Finding[] {
  return [...manifest.template.data].flatMap(([name, parts]) =>
    [...templateEntries(parts)]
      .filter((entry) => entryOfPrevious(entry) !== undefined)
      .map((entry) =>
        finding(
          'CHECK_ROTATION_TEMPLATE',
          { ...placeOf(manifest, undefined, ['spec', 'template', 'data', name]), entry: name },
          {
            message: `the template ${name} names ${entry}, which therefore cannot go when its time is over`,
            advice: `Take ${entry} out of the template: its readers get it as an entry of its own.`,
          },
        ),
      ),
  );
}

function orphans(manifest: Manifest): Finding[] {
  return [...manifest.entries].flatMap(([entry, { line }]) => {
    const base = entryOfPrevious(entry);
    if (base === undefined || mayRotate(manifest, base)) return [];
    return [
      finding(
        'CHECK_ROTATION_PREVIOUS',
        { ...placeOf(manifest), line, entry },
        {
          message: `${entry} is a name for the former value of ${base}, which the manifest does not rotate`,
          advice: `Remove it: ${command('unset', manifest.file, entry)}; or give it another name.`,
        },
      ),
    ];
  });
}

export function placeOf(manifest: Manifest, entry?: string, path = ['spec', 'rotation', ...(entry ? [entry] : [])]) {
  const { file, namespace, name } = manifest;
  const { line } = manifest.document.position(path);
  return { file, line, namespace, name, ...(entry === undefined ? {} : { entry }) };
}
