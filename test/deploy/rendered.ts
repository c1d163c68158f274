/** What the chart gives for values. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { loadAll } from 'js-yaml';
import { CHART, helmOrSkip } from './helm.ts';

export interface Rendered {
  kind: string;
  metadata: { name: string; namespace?: string; annotations?: Record<string, string> };
  [field: string]: unknown;
}

export async function render(
  t: TestContext,
  values: object,
  namespace = 'coffer-system',
): Promise<Rendered[] | undefined> {
  const helm = await helmOrSkip(t);
  if (helm === undefined) return undefined;
  const { status, stdout, stderr } = await helm(['template', 'coffer', CHART, '--namespace', namespace], values);
  assert.equal(status, 0, stderr);
  return (loadAll(stdout) as (Rendered | null)[]).filter((object) => object !== null);
}

export function named(objects: readonly Rendered[], kind: string, name: string): Rendered {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  assert.ok(found, `no ${kind} ${name}`);
  return found;
}

export function dataOf(objects: readonly Rendered[], name: string): Record<string, string> {
  return named(objects, 'ConfigMap', name).data as Record<string, string>;
}
