import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from '../../../test/support/properties.ts';
import { readText, testKeys } from '../../../test/support/sealing.ts';
import { sodiumReady } from '../../crypto/sodium.ts';
import { sealPlaintext, setEntry, unsetEntry } from './seal.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];

/** One operation on entries, by name: a run that seals some, or the removal of one. */
type Operation = { seal: string[] } | { unset: string };

/** What a person does to a file: new plaintext for some entries, then `coffer encrypt`; or set; or unset. */
function apply(text: string, operation: Operation, value: string): string {
  const present = readText(text).manifests[0]?.entries ?? new Map();
  if ('unset' in operation) return present.has(operation.unset) ? unsetEntry(readText(text), 0, operation.unset) : text;
  const [first, ...others] = operation.seal;
  if (first === undefined) return text;
  if (others.length === 0 || !operation.seal.every((entry) => present.has(entry))) {
    const keys = testKeys({ recipients: ['one', 'two'] });
    return operation.seal.reduce(
      (result, entry) => setEntry(readText(result), 0, entry, Buffer.from(value), keys),
      text,
    );
  }
  let edited = text;
  for (const entry of operation.seal) {
    edited = edited.replace(new RegExp(`^    ${entry}: .*$`, 'm'), `    ${entry}: ${value}-${entry}`);
  }
  return sealPlaintext(readText(edited), testKeys).text;
}

function fresh(entries: readonly string[]): string {
  const data = entries.map((entry) => `    ${entry}: first-${entry}\n`).join('');
  const head = 'apiVersion: coffer.dev/v1\nkind: EncryptedSecret\nmetadata: {name: db, namespace: shop}\n';
  const text = `${head}spec:\n  recipients: [one, two]\n  readers: [{name: w}]\n  data:\n${data}`;
  return sealPlaintext(readText(text), testKeys).text;
}

let folder = '';
before(async () => {
  await sodiumReady();
  folder = mkdtempSync(join(tmpdir(), 'coffer-merge-'));
});
after(() => rmSync(folder, { recursive: true }));

/** Plain `git merge-file`: the merged text, and how many conflicts it holds. */
function mergeFile(base: string, ours: string, theirs: string): { text: string; conflicts: number } {
  const paths = Object.entries({ ours, base, theirs }).map(([name, text]) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  });
  const { status, stdout } = spawnSync('git', ['merge-file', '-p', ...paths], { encoding: 'utf8' });
  return { text: stdout, conflicts: status ?? -1 };
}

const entry = fc.constantFrom(...NAMES);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ seal: fc.tuple(entry) }) },
  { weight: 2, arbitrary: fc.record({ seal: fc.uniqueArray(entry, { minLength: 2, maxLength: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ unset: entry }) },
);

const entriesOf = (operation: Operation) => ('unset' in operation ? [operation.unset] : operation.seal);

/** The entries of `data` after some operations, in their order. */
function orderAfter(history: readonly Operation[]): string[] {
  const order = [...NAMES];
  for (const step of history) {
    if ('seal' in step) order.push(...step.seal.filter((name) => !order.includes(name)));
    else if (order.includes(step.unset)) order.splice(order.indexOf(step.unset), 1);
  }
  return order;
}

/** Whether no entry of one side is the other's, or next to it in `data`; what is appended is next to the last. */
function apart(order: readonly string[], ours: readonly Operation[], theirs: readonly Operation[]): boolean {
  const places = (side: readonly Operation[]) => {
    const removed = side.flatMap((step) => ('unset' in step ? [step.unset] : []));
    return side.flatMap(entriesOf).flatMap((name) => {
      if (!order.includes(name)) return [order.length];
      return removed.includes(name) ? [order.indexOf(name), order.length] : [order.indexOf(name)];
    });
  };
  return places(ours).every((our) => places(theirs).every((their) => Math.abs(our - their) > 1));
}

/** An entry comes back, last, while its old comment line stands first. */
const RE_ADDED: [Operation[], Operation[], Operation[]] = [
  [{ unset: 'a' }, { seal: ['e', 'c'] }, { seal: ['d', 'g', 'b'] }, { seal: ['f'] }],
  [{ seal: ['b', 'd'] }],
  [{ seal: ['a'] }],
];

describe('the layout of data keys', () => {
  test('changes of entries that are not neighbours merge with plain git, whatever happened before', () => {
    let merged = 0;
    fc.assert(
      fc.property(
        fc.array(operation, { maxLength: 8 }),
        fc.array(operation, { minLength: 1, maxLength: 2 }),
        fc.array(operation, { minLength: 1, maxLength: 2 }),
        (history, ours, theirs) => {
          fc.pre(apart(orderAfter(history), ours, theirs));
          const base = history.reduce((text, step, index) => apply(text, step, `past${index}`), fresh(NAMES));
          const our = ours.reduce((text, step) => apply(text, step, 'ours'), base);
          const their = theirs.reduce((text, step) => apply(text, step, 'theirs'), base);
          const result = mergeFile(base, our, their);
          assert.equal(result.conflicts, 0, result.text);
          assertUnites(result.text, base, our, their);
          merged++;
        },
      ),
      { numRuns: 100, examples: [RE_ADDED] },
    );
    assert.ok(merged > 50);
  });
});

/** Every value is that of the side which changed it, and its data key has a stanza for everybody. */
function assertUnites(merged: string, base: string, ours: string, theirs: string): void {
  const [was, our, their, is] = [base, ours, theirs, merged].map((text) => readText(text).manifests[0]);
  const textOf = (manifest: typeof is, name: string) => {
    const found = manifest?.entries.get(name);
    return found?.kind === 'sealed' ? found.text : undefined;
  };
  for (const name of NAMES) {
    const before = textOf(was, name);
    const changed = textOf(our, name) !== before ? textOf(our, name) : textOf(their, name);
    assert.equal(textOf(is, name), changed, name);
    const found = is?.entries.get(name);
    if (found?.kind === 'sealed')
      assert.deepEqual([...(is?.stanzas.get(found.dataKeyId)?.keys() ?? [])], ['one', 'two']);
  }
}
