import { Bug, CofferError } from '../../../../core/errors.ts';

export interface Refusal {
  host: string;
  user: string;
}

/** Classes of SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html): what each means here, and what to do. */
const STATES: readonly [RegExp, string, string, string][] = [
  [
    /^28/,
    'ROTATOR_LOGIN_REFUSED',
    'does not let the user in',
    'Check the name and the password, and pg_hba.conf for where the operator comes from.',
  ],
  [
    /^42501$/,
    'ROTATOR_PERMISSION',
    'does not let the user do that',
    'Give the role of `urlFile` CREATEROLE, and from PostgreSQL 16 on ADMIN OPTION on both users (docs/rotation.md).',
  ],
  [
    /^(08|53|57|58)/,
    'ROTATOR_UNREACHABLE',
    'is not ready',
    'Look at the server; it is tried again, and the former credential works meanwhile.',
  ],
];

/** What the server, the system or TLS said, by its code alone: their texts repeat what was sent. */
export function refusalOf(error: unknown, { host, user }: Refusal): unknown {
  if (error instanceof CofferError || error instanceof Bug || !(error instanceof Error)) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code.replace(/[^A-Za-z0-9_]/g, '') : undefined;
  if (!('severity' in error)) {
    return new CofferError(
      'ROTATOR_UNREACHABLE',
      `The database server ${host} cannot be reached${inBrackets(code ?? reasonOf(error))}.`,
      {
        advice:
          'Check host, port and TLS (`caFile`) of the rotator; it is tried again, and the former credential works meanwhile.',
        loop: 'retry',
      },
    );
  }
  const [, name, how, advice] = STATES.find(([pattern]) => pattern.test(code ?? '')) ?? [
    undefined,
    'ROTATOR_FAILED',
    'refused a statement',
    'Look at its log at this time; it is tried again, and the former credential works meanwhile.',
  ];
  return new CofferError(name, `The database server ${host} ${how}: ${user}${inBrackets(code)}.`, {
    advice,
    loop: 'retry',
  });
}

function inBrackets(text: string | undefined): string {
  return text === undefined ? '' : ` (${text})`;
}

/** Of the library's own messages, which have no codes. */
function reasonOf({ message }: Error): string | undefined {
  if (/timeout/i.test(message)) return 'it does not answer in time';
  if (/does not support SSL/.test(message)) return 'it has no TLS';
  if (/^SASL/.test(message)) return 'it does not know the password either';
  if (/Connection terminated/.test(message)) return 'it closed the connection';
  return undefined;
}
