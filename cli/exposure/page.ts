import type { Exposed, ExposedTo, ExposureReport, ExposureState, Living } from '../../core/exposure/exposure.ts';
import type { Moment } from '../../core/exposure/moment.ts';
import { count } from '../render/count.ts';
import type { FoundExposure } from './exposure-of.ts';
import { ELSEWHERE, inOrder, inOtherPlaces, MEANING, reasonOf, STATES, summaryOf } from './render-table.ts';

/** Nothing of the page is fetched from anywhere, and nothing in it runs. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --live: #c62828; --resealed: #b26a00; --quiet: #667; --done: #2e7d32 }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; margin-bottom: .2rem } h2 { font-size: 1.1rem; margin-top: 2rem }
p.sum { font-size: 1.05rem } code { font-size: .85em; overflow-wrap: anywhere }
ul.tiles { display: flex; flex-wrap: wrap; gap: .75rem; padding: 0; list-style: none }
ul.tiles li { border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .9rem; min-width: 8rem }
ul.tiles b { display: block; font-size: 1.6rem }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0; border-bottom: 1px solid var(--line) }
th { font-weight: 600; color: var(--quiet) } small { color: var(--quiet); display: block }
.live { color: var(--live) } .resealed, .elsewhere { color: var(--resealed) } .changed, .removed { color: var(--done) }
.warning { border-left: .3rem solid var(--live); padding-left: .8rem }
details > summary { cursor: pointer; margin: .5rem 0 }
@media print { body { margin: 0; max-width: none } }`;

/** A page of one file: what is exposed, what to do first on top. All text of the repository is escaped. */
export function exposurePage({ report, current, notes }: FoundExposure, made: Date): string {
  const others = inOtherPlaces(report);
  const byState = Map.groupBy(inOrder(report.values), ({ state }) => state);
  const title = 'What was exposed';
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width"><title>${title}</title><style>${STYLE}</style></head><body>
<h1>${title}</h1>
<p class="sum">${escaped(summaryOf(report, notes.length === 0))}</p>
${notes.map((note) => `<p class="warning">${escaped(note)}</p>`).join('\n')}
<ul class="tiles">${STATES.map((state) => tile(state, byState.get(state)?.length ?? 0)).join('')}</ul>
${others.length === 0 ? '' : otherPlaces(others)}
${STATES.map((state) => section(state, byState.get(state) ?? [])).join('\n')}
${keysOf(report)}
<p><small>Made ${made.toISOString()} of ${current.map((commit) => escaped(commit)).join(', ')}. ${ejson(report)}Times and authors are those that commits claim.</small></p>
</body></html>
`;
}

function tile(state: ExposureState, count: number): string {
  return `<li><b class="${state}">${count}</b>${MEANING[state]}</li>`;
}

function section(state: ExposureState, values: readonly Exposed[]): string {
  if (values.length === 0) return '';
  const head = ['manifest', 'entry', 'readable by', 'from', 'until', 'written by'];
  const rows = values.map(rowOf).join('\n');
  const table = `<table><thead><tr>${head.map((name) => `<th>${name}</th>`).join('')}</tr></thead><tbody>\n${rows}\n</tbody></table>`;
  const title = `${values.length} ${MEANING[state]}`;
  const isUrgent = state === 'live' || state === 'resealed';
  return `<details${isUrgent ? ' open' : ''}><summary><strong class="${state}">${title}</strong></summary>${table}</details>`;
}

/** On top, since nothing below says that these have to be replaced. */
function otherPlaces(living: readonly Living[]): string {
  const rows = living.map(({ state, namespace, name, entry, path }) => {
    const cells = [namespace === '' ? 'a file that cannot be read' : `${namespace}/${name}`, entry, path].map(escaped);
    return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}<td class="${state}">${ELSEWHERE[state]}</td></tr>`;
  });
  return `<details open><summary><strong>${count(living.length, 'current value')} in other places than those below</strong></summary><table><tbody>\n${rows.join('\n')}\n</tbody></table></details>`;
}

function rowOf({ namespace, name, entry, paths, branches, keys, from, until, written }: Exposed): string {
  const place = namespace === '' ? 'a file that cannot be read' : `${namespace}/${name}`;
  const also = branches.length === 0 ? '' : `<small>on ${escaped(branches.slice(0, 5).join(', '))}</small>`;
  const cells = [
    `${escaped(place)}<small>${escaped(paths.join(', '))}</small>${also}`,
    escaped(entry),
    keys.map(keyCell).join(''),
    moment(from),
    until === undefined ? '' : moment(until),
    `${escaped(written.author.name)}<small>${escaped(written.author.email)}, ${moment(written)}</small>`,
  ];
  return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
}

function keyCell({ kid, recipient, group }: ExposedTo): string {
  const through = group === undefined ? '' : ` by the group ${escaped(group.name)}`;
  return `${escaped(recipient)}${through}<small><code>${escaped(kid)}</code></small>`;
}

function moment({ time, commit }: Moment): string {
  return `${time.slice(0, 16).replace('T', ' ')} <code>${escaped(commit.slice(0, 10))}</code>`;
}

function keysOf({ keys }: ExposureReport): string {
  if (keys.length === 0) return '';
  const rows = keys.map(({ kid, recipient, why, through, since }) => {
    const reason = reasonOf(why, through ?? '');
    return `<tr><td><code>${escaped(kid)}</code></td><td>${escaped(recipient)}</td><td>${escaped(reason)}</td><td>${since === undefined ? '' : moment(since)}</td></tr>`;
  });
  return `<h2>Keys</h2><table><tbody>${rows.join('\n')}</tbody></table>`;
}

function ejson({ ejsonFiles }: ExposureReport): string {
  return ejsonFiles === 0 ? '' : `${ejsonFiles} files of ejson have keys of another kind and were not looked at. `;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control and direction characters are what is looked for
  const plain = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, '\ufffd');
  return plain.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}
