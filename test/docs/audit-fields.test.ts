import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type AuditEvent, EVENTS, fieldsOf } from '../../core/audit/record.ts';

const page = readFileSync(new URL('../../docs/audit.md', import.meta.url), 'utf8');
const source = readFileSync(new URL('../../core/audit/record.ts', import.meta.url), 'utf8');

/** The rows of a table below a heading: their cells. */
function rowsBelow(heading: string): string[][] {
  const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? assert.fail(heading);
  const lines = section.split('\n').filter((line) => line.startsWith('| `'));
  return lines.map((line) => line.slice(2, -2).split(' | '));
}

const quoted = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);

/** Its fields and their types, as it is written. */
function interfaceOf(name: string): Map<string, string> {
  const body = new RegExp(`export interface ${name}[^{]*\\{\\n(.*?)\\n\\}`, 's').exec(source)?.[1] ?? assert.fail(name);
  return new Map([...body.matchAll(/^ {2}(\w+)\??: (.+);$/gm)].map(([, field = '', type = '']) => [field, type]));
}

/** Of a type that is one of some texts: these; of an object: its fields. */
function partsOf(type: string): string[] {
  const named = new RegExp(`export type ${type} =(.*?);\n`, 's').exec(source)?.[1];
  if (named !== undefined || type.includes("'"))
    return [...(named ?? type).matchAll(/'([^']+)'/g)].map(([, text = '']) => text);
  return type.startsWith('{') ? [...type.matchAll(/(\w+):/g)].map(([, f = '']) => f) : [...interfaceOf(type).keys()];
}

test('the page names every event', () => {
  const named = rowsBelow('What is recorded').flatMap(([events = '']) => quoted(events));
  assert.deepEqual(named.toSorted(), EVENTS.toSorted());
});

test('the page has every field of a record, its type, its values, and the events that have it', () => {
  const types = new Map(['AuditLine', 'AnyRecord', 'AuditFields'].flatMap((name) => [...interfaceOf(name)]));
  const rows = rowsBelow('The fields');
  const fields = rows.map(([field = '']) => quoted(field)[0] ?? '');
  assert.deepEqual(fields.toSorted(), [...types.keys()].sort());
  for (const [at, [, type, says = '', events = '']] of rows.entries()) {
    const field = fields[at] ?? '';
    const own = types.get(field) ?? '';
    const isPlain = ['string', 'string[]', 'number'].includes(own);
    const isUnion = own.includes("'") || new RegExp(`export type ${own.replaceAll(/\W/g, '')} =`).test(source);
    assert.equal(type, isPlain ? own : isUnion ? 'string' : 'object', field);
    for (const part of isPlain || field === 'event' ? [] : partsOf(own))
      assert.ok(quoted(says).includes(part), `${field}: ${part}`);
    const shown = events === 'any' ? EVENTS : quoted(events).flatMap(eventsOf);
    const having = EVENTS.filter((event) => fieldsOf(event).has(field));
    assert.deepEqual(shown.toSorted(), having.toSorted(), field);
  }
});

function eventsOf(name: string): string[] {
  return name.endsWith('.*') ? EVENTS.filter((event: AuditEvent) => event.startsWith(name.slice(0, -1))) : [name];
}
