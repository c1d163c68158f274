import type { ExposureReport, Living } from '../../exposure/exposure.ts';
import { command } from '../command.ts';
import { type Finding, finding } from '../finding.ts';

/** Current values that somebody else may know, and commits that could not be looked at. Paths are those of the repository of git. */
export function exposedFindings({ living, gaps }: Pick<ExposureReport, 'living' | 'gaps'>): Finding[] {
  return [...living.map(livingFinding), ...gaps.map(gapFinding)];
}

function livingFinding(living: Living): Finding {
  const { namespace, name, entry, path, state } = living;
  const what = `the value of ${entry}`;
  const place = { file: path, entry, ...(namespace === '' ? {} : { namespace, name }) };
  if (state === 'live') {
    return finding('CHECK_EXPOSED', place, {
      message: `${what} is one that a revoked key could open`,
      advice: `${replacing(living)} Where it is no secret, say so: \`rotation: {${entry}: {secret: false}}\`.`,
    });
  }
  return finding('CHECK_EXPOSED_RESEALED', place, {
    message: `${what} may be one that a revoked key could open, sealed anew: nobody has proven that it is another`,
    advice:
      'An operator that opens both says so in its log: give that with --log. Where it is the same, make a new value.',
  });
}

function replacing({ rotation, path, entry }: Living): string {
  if (rotation === 'rotator') return 'Its operator makes a new one, where the rotator of the manifest is configured.';
  if (rotation === 'generate') return `Have a new one made: ${command('rotate', path, entry)}.`;
  return `Make a new one where it is used, then ${command('set', path, entry)}.`;
}

function gapFinding({ commit, code }: { commit: string; code: string }): Finding {
  return finding(
    'CHECK_EXPOSED_UNREAD',
    { file: '.', commit },
    {
      message: `the commit ${commit.slice(0, 12)} could not be compared (${code}): what it exposed is not known`,
      advice: `Look at it with \`git show --stat ${commit.slice(0, 12)}\`; where no ref needs it, delete those that reach it.`,
    },
  );
}
