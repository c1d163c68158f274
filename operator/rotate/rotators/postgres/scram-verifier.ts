import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { Bug } from '../../../../core/errors.ts';

/** As PostgreSQL's own default; a random password of 190 bits needs no stretching. */
const ITERATIONS = 4096;
const SALT_LENGTH = 16;

/**
 * What PostgreSQL keeps of a password: RFC 5803 with the parts of RFC 7677, in PostgreSQL's notation
 * `SCRAM-SHA-256$ITERATIONS:SALT$STORED_KEY:SERVER_KEY` (https://www.postgresql.org/docs/current/catalog-pg-authid.html). A server that
 * is given this in place of a password takes it as it is: so a password stands in no SQL text and in no log.
 *
 * @param password printable ASCII, which SASLprep (RFC 4013) leaves as it is: we make no other, and other libraries prepare others
 * differently
 */
export function scramVerifier(password: Buffer, salt: Buffer = randomBytes(SALT_LENGTH)): string {
  if (password.length === 0 || password.some((byte) => byte < 0x21 || byte > 0x7e)) {
    throw new Bug('a password that is not printable ASCII');
  }
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, 'sha256');
  const clientKey = hmac(salted, 'Client Key');
  const storedKey = createHash('sha256').update(clientKey).digest('base64');
  const serverKey = hmac(salted, 'Server Key').toString('base64');
  salted.fill(0);
  clientKey.fill(0);
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
