import { createHash } from 'node:crypto';
import { isObject } from '../../core/json.ts';

/** The spec of a manifest as plain data, from git or from the cluster. */
export type Spec = Readonly<Record<string, unknown>>;

/**
 * A spec as far as it concerns one cluster, which is these recipients (itself, and groups that it is of): the stanzas of others
 * go, and with them data keys that have none left. Everything else stays as it is, `recipients` too: a mirror says who can open the
 * manifest in git, and remains a manifest that this cluster can open (docs/format.md, "Which stanzas exist": an opener needs
 * only its own).
 */
export function ownSpec(spec: Spec, own: ReadonlySet<string>): Spec {
  if (!isObject(spec.keys)) return spec;
  const keys = Object.entries(spec.keys).flatMap(([id, stanzas]) => {
    const mine = isObject(stanzas) ? Object.entries(stanzas).filter(([recipient]) => own.has(recipient)) : [];
    return mine.length === 0 ? [] : [[id, Object.fromEntries(mine)]];
  });
  return { ...spec, keys: Object.fromEntries(keys) };
}

/** The same for the same spec, whatever the order of its fields. Sealed text is public, so a bare hash says nothing of a value. */
export function fingerprintOf(spec: Spec): string {
  return createHash('sha256').update(canonical(spec)).digest('base64url').slice(0, 22);
}

/** JSON with sorted fields; without those that are null, which the API server drops. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value) ?? 'null';
  const fields = Object.keys(value).filter((name) => value[name] !== null && value[name] !== undefined);
  return `{${fields
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`)
    .join(',')}}`;
}
