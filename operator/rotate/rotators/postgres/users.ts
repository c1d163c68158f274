import { CofferError } from '../../../../core/errors.ts';
import type { Connection } from './connection.ts';
import { quoteIdentifier } from './identifier.ts';

interface User {
  name: string;
  /** False: nobody can begin anything with it. */
  canLogIn: boolean;
  /** Attributes, memberships, settings, and what is granted to it by name or belongs to it. */
  rights: string[];
  sessions: number;
  isTooMighty: boolean;
  isOurs: boolean;
}

/** Each as one line of text, so that whatever a later version of PostgreSQL adds is compared too. */
const USERS = `
  SELECT u.rolname AS "name", u.rolcanlogin AS "canLogIn",
    u.rolsuper OR u.rolreplication OR u.rolcreaterole AS "isTooMighty",
    u.rolname IN (current_user, session_user) AS "isOurs",
    (SELECT count(*)::int FROM pg_stat_activity a WHERE a.usesysid = u.oid) AS sessions,
    ARRAY(
      SELECT 'attributes ' || (to_jsonb(u) - ARRAY['oid', 'rolname', 'rolcanlogin', 'rolpassword', 'rolconfig'])::text
      UNION ALL
      SELECT 'membership ' || (to_jsonb(m) - ARRAY['oid', 'member', 'grantor'])::text
        FROM pg_auth_members m WHERE m.member = u.oid
      UNION ALL
      SELECT 'settings ' || (to_jsonb(s) - 'setrole')::text FROM pg_db_role_setting s WHERE s.setrole = u.oid
      UNION ALL
      SELECT CASE d.deptype WHEN 'o' THEN 'ownership ' ELSE 'grants ' END || (to_jsonb(d) - 'refobjid')::text
        FROM pg_shdepend d WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = u.oid
      ORDER BY 1
    ) AS rights
  FROM pg_roles u WHERE u.rolname = ANY($1::name[])`;

/** Two login roles that take turns. */
export class AlternatingUsers {
  readonly #connection: Connection;
  readonly #names: readonly string[];

  constructor(connection: Connection, names: readonly string[]) {
    this.#connection = connection;
    this.#names = names;
  }

  /**
   * Lets `name` log in by the password of this verifier, from now on and for no other. Throws ROTATOR_USER, ROTATOR_RIGHTS_DIFFER,
   * and ROTATOR_USER_IN_USE where somebody is logged in as a user that was never retired.
   */
  async admit(name: string, verifier: string): Promise<void> {
    if (!/^SCRAM-SHA-256\$[A-Za-z0-9+/=$:]+$/.test(verifier)) throw new TypeError('no verifier');
    await this.#changing(async () => {
      const users = await this.#users();
      refuseUnequal(users);
      const user = users.find((each) => each.name === name);
      if (user?.canLogIn === true && user.sessions > 0) throw inUse(user);
      await this.#connection.query(`ALTER ROLE ${quoteIdentifier(name)} LOGIN PASSWORD '${verifier}'`);
    });
  }

  /** Nobody begins anything as `name` any more. How many sessions it still has. */
  async retire(name: string, { endSessions }: { endSessions: boolean }): Promise<number> {
    await this.#changing(async () => {
      await this.#users();
      await this.#connection.query(`ALTER ROLE ${quoteIdentifier(name)} NOLOGIN PASSWORD NULL`);
    });
    if (endSessions) await this.#endSessions(name);
    return (await this.#users()).find((user) => user.name === name)?.sessions ?? 0;
  }

  /** That it may not is no reason to leave the user as it was: what goes on is told. */
  async #endSessions(name: string): Promise<void> {
    try {
      await this.#connection.query(
        'SELECT pg_terminate_backend(a.pid, 5000) FROM pg_stat_activity a JOIN pg_roles u ON u.oid = a.usesysid WHERE u.rolname = $1',
        [name],
      );
    } catch (error) {
      if (!(error instanceof CofferError && error.code === 'ROTATOR_PERMISSION')) throw error;
    }
  }

  async #changing(work: () => Promise<void>): Promise<void> {
    await this.#connection.query('BEGIN');
    // Where it throws, the connection ends, and what was begun with it.
    await work();
    await this.#connection.query('COMMIT');
  }

  /** Throws ROTATOR_USER for those that are not there, or that are more than an application's. */
  async #users(): Promise<User[]> {
    const users = await this.#connection.query<User>(USERS, [this.#names]);
    for (const name of this.#names) {
      const user = users.find((each) => each.name === name);
      if (user === undefined) throw unusable(name, 'does not exist', 'Create it, as docs/rotation.md shows.');
      if (user.isOurs) throw unusable(name, 'is the one that changes the others', 'Give `urlFile` a role of its own.');
      if (user.isTooMighty) {
        throw unusable(
          name,
          'is a superuser, replicates, or changes roles',
          'Rotate users of applications only: take those attributes away.',
        );
      }
    }
    return users;
  }
}

function unusable(name: string, how: string, advice: string): CofferError {
  return new CofferError('ROTATOR_USER', `The database user ${name} ${how}.`, { advice, loop: 'retry' });
}

/** What works as one must work as the other: else a rotation is an outage. */
function refuseUnequal([one, other]: readonly User[]): void {
  if (one === undefined || other === undefined) return;
  const differing = new Set(one.rights).symmetricDifference(new Set(other.rights));
  if (differing.size === 0) return;
  const kinds = [...new Set([...differing].map((right) => right.split(' ', 1)[0]))].sort().join(', ');
  throw new CofferError(
    'ROTATOR_RIGHTS_DIFFER',
    `The database users ${one.name} and ${other.name} are not allowed the same: they differ in ${kinds}.`,
    {
      advice:
        'Grant to one role, of which both are members and as which both act, and nothing to a user by name: docs/rotation.md.',
      loop: 'retry',
    },
  );
}

function inUse({ name, sessions }: User): CofferError {
  return new CofferError(
    'ROTATOR_USER_IN_USE',
    `The database user ${name}, whose turn it is, is logged in ${sessions === 1 ? 'once' : `${sessions} times`}, and nobody retired it: its password stays.`,
    {
      advice: `Find out who uses it; when nobody does, end the sessions or run ALTER ROLE … NOLOGIN, and the rotation goes on.`,
      loop: 'retry',
    },
  );
}
