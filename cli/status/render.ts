import { placeOf } from '../../core/errors.ts';
import { paint, printable } from '../output.ts';
import type { Problem } from './observed.ts';
import type { ClusterReport, SecretState } from './report.ts';

const WORDS: Record<SecretState, string> = {
  current: 'has it',
  behind: 'has an earlier one',
  ahead: 'has a commit that this clone does not have (git fetch)',
  missing: 'does not know of it yet',
  pending: 'is at it',
  failed: 'failed',
  held: 'waits for a person to confirm its removal',
};

/** Secrets of one state are listed up to here; `--json` has all. */
const LISTED = 20;

/** A cluster and its namespaces, then what is not as the commit says. */
export function renderStatus(reports: readonly ClusterReport[], commit: string): string[] {
  return [`commit ${commit}`, ...reports.flatMap(clusterLines)];
}

function clusterLines(report: ClusterReport): string[] {
  const { place, cluster, key, namespaces, secrets, problems } = report;
  const name = cluster === null ? place : cluster === place ? cluster : `${cluster} (${place})`;
  const count = secrets.filter(({ state }) => state === 'current').length;
  const age = key === null ? '' : `, key ${key.id.slice(0, 8)}… is ${key.days} days old`;
  const width = Math.max(0, ...namespaces.map(({ namespace }) => namespace.length));
  return [
    `${paint('bold', printable(name))}: ${count} of ${secrets.length} secrets have it${age}`,
    ...namespaces.map(
      ({ namespace, current, secrets: all }) => `  ${printable(namespace.padEnd(width))}  ${current}/${all}`,
    ),
    ...troubleLines(report),
    ...problems.flatMap(problemLines),
  ];
}

function problemLines({ code, message, advice = '', data = {} }: Problem): string[] {
  const place = placeOf(data);
  const what = `${message}${place === '' ? '' : ` (${place})`}`;
  const line = `  ${paint('red', printable(code))} ${printable(what)}`;
  return advice === '' ? [line] : [line, `    ${printable(advice)}`];
}

function troubleLines({ secrets }: ClusterReport): string[] {
  const others = secrets.filter(({ state }) => state !== 'current');
  const lines = others.slice(0, LISTED).flatMap(({ namespace, name, path, state, reason, message }) => {
    const words = state === 'failed' ? paint('red', WORDS[state]) : WORDS[state];
    const why = `${reason === undefined ? '' : `: ${reason}`}${path === undefined ? '' : ` (${path})`}`;
    const line = `  ${printable(`${namespace}/${name}`)} ${words}${printable(why)}`;
    return message === undefined ? [line] : [line, `    ${printable(message)}`];
  });
  return others.length > LISTED ? [...lines, `  … and ${others.length - LISTED} more`] : lines;
}
