import { Bug } from '../../../../core/errors.ts';

/** NAMEDATALEN - 1: a longer name is cut by the server, and may then be another's. */
const LONGEST = 63;

/** A name as SQL's delimited identifier, whatever is in it: https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS */
export function quoteIdentifier(name: string): string {
  if (!isIdentifier(name)) throw new Bug('a name that PostgreSQL cannot have');
  return `"${name.replaceAll('"', '""')}"`;
}

export function isIdentifier(name: string): boolean {
  return name !== '' && name.isWellFormed() && !name.includes('\0') && Buffer.byteLength(name) <= LONGEST;
}
