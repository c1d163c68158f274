import { userInfo } from 'node:os';
import type { AuditActor } from '../../core/audit/record.ts';

/** Of a text that somebody else may have written. */
const LONGEST = 100;

/** Who calls the command line. */
export function hostUser(): AuditActor {
  const uid = process.getuid?.();
  return { kind: 'host', user: nameOf(), ...(uid === undefined ? {} : { uid }) };
}

/** As a line of a file that bears a person's word. */
export function hostUserLine(): string {
  const { user, uid = '' } = hostUser();
  return `${uid} ${user}`;
}

/** Undefined: that is no such line. */
export function hostUserFrom(line: string): AuditActor | undefined {
  const [, uid = '', user] = /^([0-9]{0,10}) ([^\p{C}]{1,100})$/u.exec(line.slice(0, 2 * LONGEST)) ?? [];
  if (user === undefined) return undefined;
  return { kind: 'host', user, ...(uid === '' ? {} : { uid: Number(uid) }) };
}

function nameOf(): string {
  try {
    return userInfo().username;
  } catch (error) {
    // As in a container: the user has a number and no name.
    if (error instanceof Error && 'code' in error) return String(process.getuid?.() ?? 'unknown');
    throw error;
  }
}
