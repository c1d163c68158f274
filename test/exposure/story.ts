import type { TestContext } from 'node:test';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import type { Exposed, ExposureQuery, ExposureReport, Selection } from '../../core/exposure/exposure.ts';
import { findExposure } from '../../core/exposure/find-exposure.ts';
import { HistoryFacts } from '../../core/exposure/history-facts.ts';
import { readHistory } from '../../core/exposure/read-history.ts';
import { textDigest } from '../../core/exposure/text-digest.ts';
import { History, type Node } from '../trust/history.ts';
import { dataKeyId, type Made, manifest, sealed, stanza } from '../trust/manifests.ts';

/** An entry's value in a history: the run that sealed it, and what. */
export type Value = readonly [run: string, value: string];

/** A manifest with stanzas: run → the recipients that it is sealed to, each `NAME` or `NAME:KEY`; the key is else called as its owner. */
export function sealedTo(
  data: Readonly<Record<string, Value>>,
  runs: Readonly<Record<string, readonly string[]>>,
  more: Omit<Made, 'data' | 'keys'> = {},
): string {
  const keys = Object.entries(runs).map(([run, to]) => [
    dataKeyId(run),
    Object.fromEntries(to.map((one) => [one.split(':')[0] ?? '', stanza(kidOf(one.split(':').at(-1) ?? ''))])),
  ]);
  const recipients = [...new Set(Object.values(runs).flatMap((to) => to.map((one) => one.split(':')[0] ?? '')))];
  return manifest({
    recipients,
    readers: {},
    ...more,
    data: Object.fromEntries(Object.entries(data).map(([entry, [run, value]]) => [entry, sealedText([run, value])])),
    keys: Object.fromEntries(keys),
  });
}

/** Sealed text → its value, of all that was made here. */
const made = new Map<string, string>();

/** As reports name it. */
export function digestOf([run, value]: Value): string {
  return textDigest(sealedText([run, value]));
}

function sealedText([run, value]: Value): string {
  const text = sealed(run, value);
  made.set(text, value);
  return text;
}

/** A made-up key id, the same for the same name. */
export function kidOf(name: string): string {
  return Buffer.from(name).toString('hex').padEnd(32, '0').slice(0, 32);
}

/** A keyring file: key name → status, and for a group whose key opens each. */
export function ring(
  name: string,
  keys: Readonly<Record<string, string>>,
  { type = 'cluster', seeds = {} }: { type?: string; seeds?: Readonly<Record<string, Record<string, string>>> } = {},
): Record<string, string> {
  const rows = Object.entries(keys).map(([key, status]) => ({
    id: kidOf(key),
    status,
    created: '2026-11-21T09:00:00Z',
    ...(seeds[key] === undefined
      ? {}
      : { seed: Object.fromEntries(Object.entries(seeds[key]).map(([member, kid]) => [member, stanza(kidOf(kid))])) }),
  }));
  const file = { apiVersion: 'coffer.dev/v1', kind: 'Recipient', metadata: { name }, spec: { type, keys: rows } };
  return { [`.coffer/recipients/${name}.yaml`]: JSON.stringify(file, null, 1) };
}

/** A history that git writes, and what is exposed by it. */
export class Story {
  readonly history: History;
  readonly records = new HistoryFacts();

  private constructor(history: History) {
    this.history = history;
  }

  static async begin(t: TestContext): Promise<Story> {
    await sodiumReady();
    const history = await History.create();
    t.after(() => history.remove());
    return new Story(history);
  }

  commit(parents: readonly Node[], changes: Parameters<History['commit']>[2], by = 'ada'): Node {
    return this.history.commit(parents, by, changes);
  }

  async report(
    current: Node,
    { heads = [], ...query }: Partial<Omit<ExposureQuery, 'heads' | 'current'>> & { heads?: readonly Node[] } = {},
    records = this.records,
  ): Promise<ExposureReport> {
    const repository = await this.history.repository();
    const all = [current, ...heads];
    await readHistory(
      repository,
      records,
      all.map(({ oid }) => oid),
    );
    const named = all.map(({ oid }, index) => ({ ref: `refs/heads/${index}`, commit: oid, isBranch: true }));
    const select: Selection = { kind: 'revoked' };
    return findExposure(records, { select, ...query, current: [current.oid], heads: named });
  }

  /** `ENTRY VALUE STATE`, sorted. */
  async states(...asked: Parameters<Story['report']>): Promise<string[]> {
    return told(await this.report(...asked));
  }
}

export function told({ values }: Pick<ExposureReport, 'values'>): string[] {
  const names = new Map(Array.from(made, ([text, value]) => [textDigest(text), value]));
  return values.map(({ entry, text, state }: Exposed) => `${entry} ${names.get(text) ?? text} ${state}`).sort();
}
