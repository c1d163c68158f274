import type { Entry, Manifest } from '../../format/manifest/manifest.ts';
import { entryOfPrevious } from '../../format/manifest/rotation.ts';
import { keptFor } from '../../values/due.ts';
import { command } from '../command.ts';
import { type Finding, finding } from '../finding.ts';

/** Files of the repository as they were so many milliseconds ago: path → bytes, of those that were there. */
export type Past = (age: number, paths: readonly string[]) => Promise<ReadonlyMap<string, Buffer>>;

const HOUR = 3_600_000;

/**
 * Values that are overdue, and former ones that should be gone: whose text was there already, a tenth of the time more ago than
 * the manifest allows. Until then it is only late, for whoever does it may do so once a day.
 */
export async function rotationAgeFindings(manifests: readonly Manifest[], past: Past): Promise<Finding[]> {
  const asked = manifests.flatMap((manifest) => agesAsked(manifest).map((one) => ({ manifest, ...one })));
  const findings: Finding[] = [];
  for (const [age, group] of Map.groupBy(asked, (one) => one.age)) {
    const paths = [...new Set(group.map(({ manifest }) => manifest.file))];
    const before = await past(age, paths);
    for (const { manifest, entry, text, line } of group) {
      if (before.get(manifest.file)?.includes(text) === true) findings.push(overdue(manifest, entry, line));
    }
  }
  return findings;
}

function agesAsked(manifest: Manifest): { entry: string; text: string; line: number; age: number }[] {
  return [...manifest.entries].flatMap(([entry, value]) => {
    const age = lifetimeOf(manifest, entry);
    return age === undefined || !isSealed(value) ? [] : [{ entry, text: value.text, line: value.line, age }];
  });
}

function lifetimeOf(manifest: Manifest, entry: string): number | undefined {
  const base = entryOfPrevious(entry);
  const time = base === undefined ? manifest.rotation.get(entry)?.every : keptFor(manifest, base);
  return time === undefined ? undefined : time + Math.max(Math.floor(time / 10), HOUR);
}

function isSealed(value: Entry): value is Extract<Entry, { kind: 'sealed' }> {
  return value.kind === 'sealed';
}

function overdue(manifest: Manifest, entry: string, line: number): Finding {
  const { file, namespace, name } = manifest;
  const base = entryOfPrevious(entry);
  if (base !== undefined) {
    return finding(
      'CHECK_ROTATION_OVERDUE',
      { file, line, namespace, name, entry },
      {
        message: `the time of the former value of ${base} is over`,
        advice: `Remove it: ${command('rotate', file, '--due')}.`,
      },
    );
  }
  const rotation = manifest.rotation.get(entry);
  const advice =
    rotation?.generate !== undefined
      ? `Make it anew: ${command('rotate', file, entry)}.`
      : rotation?.rotator !== undefined
        ? `See what holds the operator back that runs ${rotation.rotator}.`
        : `Change it where it is used, and then here: ${command('set', file, entry)}.`;
  return finding(
    'CHECK_ROTATION_OVERDUE',
    { file, line, namespace, name, entry },
    { message: `${entry} is older than its rotation allows`, advice },
  );
}
