/** The tables of docs/json.md, and what a command printed compared with them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './pages.ts';

interface Field {
  /** `string`, `null`, …: as `typeof` says, but for null. */
  types: ReadonlySet<string>;
  /** The heading of the table that says more; undefined: its type is all that is said. */
  shape: string | undefined;
  /** Its row says when it is there. */
  isOptional: boolean;
}

/** Path → what is there: `files[].sealed[]`; `*` stands for any name. */
type Table = ReadonlyMap<string, Field>;

/** The tables below each heading of the third level, as one. */
function readTables(): Map<string, Table> {
  const page = readFileSync(join(ROOT, 'docs/json.md'), 'utf8');
  const sections = page.split(/^(?=#+ )/m).filter((section) => section.startsWith('### '));
  return new Map(sections.map((section) => [/^### (.*)$/m.exec(section)?.[1] ?? '', readTable(section)]));
}

function readTable(section: string): Table {
  const rows = section.matchAll(/^\| (`.*?) \| (.*?) \| ?(.*) \|$/gm);
  return new Map(
    [...rows].flatMap(([, names = '', type = '', says = '']) => {
      const shape = /\[(.*)\]/.exec(type)?.[1];
      const types = new Set(type.split(' or ').map((one) => (one.startsWith('[') ? 'object' : one)));
      const field = { shape, types, isOptional: says.startsWith('only ') };
      return [...names.matchAll(/`([^`]+)`/g)].map(([, name = '']): [string, Field] => [name, field]);
    }),
  );
}

/** Holds what commands print to the page, in both directions. */
export class DocumentedFields {
  readonly #tables = readTables();
  readonly #seen = new Set<string>();

  /** As they are typed, in the order of the page: `coffer recipients list`. */
  get commands(): string[] {
    return [...this.#tables.keys()].filter((heading) => heading.startsWith('coffer '));
  }

  /** Throws where the result has a field, or a type of one, that the command's table has not, or lacks one that is always there. */
  hold(command: string, result: unknown): void {
    this.#holdTo(`coffer ${command}`, '', result);
  }

  /** Fields of a table that nothing had which was held to it: `coffer set: added`. */
  unseen(): string[] {
    const all = [...this.#tables].flatMap(([heading, table]) => [...table.keys()].map((path) => `${heading}: ${path}`));
    return all.filter((field) => !this.#seen.has(field));
  }

  #holdTo(heading: string, path: string, value: unknown): void {
    const table = this.#tables.get(heading) ?? assert.fail(`docs/json.md has no “${heading}”`);
    if (Array.isArray(value)) {
      for (const element of value) this.#holdTo(heading, `${path}[]`, element);
      if (value.length === 0) this.#holdEmpty(heading, path, `${path}[]`);
      return;
    }
    const field = table.get(path);
    if (field !== undefined) this.#seen.add(`${heading}: ${path}`);
    const type = value === null ? 'null' : typeof value;
    if (type !== 'object') assert.ok(field?.types.has(type), `“${heading}” of docs/json.md has no ${path}: ${type}`);
    else if (field?.shape !== undefined) this.#holdTo(field.shape, '', value);
    else if (!field?.types.has('object')) this.#holdObject(heading, path, value as object);
  }

  #holdObject(heading: string, path: string, value: object): void {
    const table = this.#tables.get(heading) ?? new Map();
    const below = path === '' ? '' : `${path}.`;
    const isMap = [...table.keys()].some((row) => row.startsWith(`${below}*`));
    for (const [name, field] of Object.entries(value)) this.#holdTo(heading, `${below}${isMap ? '*' : name}`, field);
    if (isMap && Object.keys(value).length === 0) this.#holdEmpty(heading, path, `${below}*`);
    for (const [row, { isOptional }] of table) {
      const name = /^\w+/.exec(row.startsWith(below) ? row.slice(below.length) : '')?.[0];
      if (name !== undefined && !isOptional) assert.ok(Object.hasOwn(value, name), `“${heading}” did not print ${row}`);
    }
  }

  /** Of what is empty its name is known, and not what would be in it. */
  #holdEmpty(heading: string, path: string, element: string): void {
    const rows = [...(this.#tables.get(heading)?.keys() ?? [])].filter((row) => row.startsWith(element));
    assert.ok(rows.length > 0, `“${heading}” of docs/json.md has no ${path}`);
    for (const row of rows) if (/^(\[\])*$/.test(row.slice(element.length))) this.#seen.add(`${heading}: ${row}`);
  }
}
