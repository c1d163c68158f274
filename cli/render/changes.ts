import type { ComparedFile, RevisionChange } from '../git/compare-revisions.ts';
import { paint, printable } from '../output.ts';

export type ShownChange = RevisionChange & {
  /** With --reveal: the values of an entry, as they are to be shown. */
  values?: { before?: string; after?: string };
};

export interface ShownFile {
  path: string;
  movedFrom?: string;
  changes: readonly ShownChange[];
  problems: readonly { code: string; message: string }[];
}

export function shownFile({ path, movedFrom, changes, problems }: ComparedFile): ShownFile {
  return {
    path,
    ...(movedFrom === undefined ? {} : { movedFrom }),
    changes,
    problems: problems.map(({ code, message }) => ({ code, message })),
  };
}

const MARKS = { added: '+', removed: '-', changed: '~' } as const;
const STYLES = { added: 'green', removed: 'red', changed: 'yellow' } as const;

/** For people: a block for each file, in it one for each manifest or recipient, a line for each change. */
export function renderChanges(files: readonly ShownFile[]): string {
  if (files.length === 0) return 'No manifest, recipient or configuration changed.';
  return files.map((file) => renderFile(file).join('\n')).join('\n\n');
}

function renderFile({ path, movedFrom, changes, problems }: ShownFile): string[] {
  const lines = [paint('bold', printable(path))];
  if (movedFrom !== undefined) lines.push(`  moved from ${printable(movedFrom)}`);
  for (const [title, ofTitle] of Map.groupBy(changes, titleOf)) {
    lines.push(`  ${printable(title)}`, ...ofTitle.flatMap(renderChange));
  }
  for (const { code, message } of problems) {
    lines.push(`  ${paint('yellow', 'not compared', process.stdout)}: ${printable(message)} ${paint('dim', code)}`);
  }
  return lines;
}

/** What of a file the change is in. */
function titleOf(change: ShownChange): string {
  if ('namespace' in change) return `${change.namespace}/${change.name}`;
  return 'recipient' in change ? change.recipient : 'configuration';
}

function renderChange({ what, subject, change, detail, values, ...more }: ShownChange): string[] {
  const warning = 'warning' in more ? more.warning : undefined;
  const details = [detail?.before, detail?.after].filter((part) => part !== undefined).map(printable);
  const title = [what, subject, details.length === 0 ? '' : `(${details.join(' → ')})`]
    .filter((part) => part !== '')
    .join(' ');
  const line = `    ${paint(warning === undefined ? STYLES[change] : 'red', `${MARKS[change]} ${printable(title)}`)}`;
  if (warning !== undefined) {
    return [line, `      ${paint('red', 'Look twice')}: ${printable(warning)}`];
  }
  if (values?.before !== undefined && values.before === values.after) {
    return [line, `        the same value, sealed again: ${printable(values.after)}`];
  }
  const shown = [
    ...(values?.before === undefined ? [] : [paint('red', `        - ${printable(values.before)}`)]),
    ...(values?.after === undefined ? [] : [paint('green', `        + ${printable(values.after)}`)]),
  ];
  return [line, ...shown];
}
