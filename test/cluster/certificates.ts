import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findPart } from '../parts/parts.ts';

const run = promisify(execFile);

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
const NAMES = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];

/**
 * Writes `ca.crt`, `ca.key`, `server.crt` and `server.key` (of whatever serves, and of the API server as a client of
 * kubelets), and `service-accounts.{key,pub}`. PEM, P-256, valid for 30 days.
 */
export async function makeCertificates(directory: string): Promise<void> {
  const file = (name: string) => join(directory, name);
  const extensions = [
    '-addext',
    'basicConstraints=critical,CA:TRUE',
    '-addext',
    'keyUsage=critical,keyCertSign,cRLSign',
  ];
  const out = ['-keyout', file('ca.key'), '-out', file('ca.crt')];
  await openssl('req', '-x509', ...NEW_KEY, '-days', '30', '-subj', '/CN=coffer-test-ca', ...extensions, ...out);
  await issue(directory, 'server', '/O=system:masters/CN=kube-apiserver', 'serverAuth,clientAuth');
  const curve = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  await openssl('genpkey', ...curve, '-out', file('service-accounts.key'));
  await openssl('pkey', '-in', file('service-accounts.key'), '-pubout', '-out', file('service-accounts.pub'));
}

/** A client's certificate of the cluster's CA: CN is the user's name, each O a group. PEM. */
export async function issueClient(
  directory: string,
  user: { name: string; groups?: readonly string[] },
): Promise<{ certificate: string; key: string }> {
  const escaped = (text: string) => text.replaceAll(/[\\/+]/g, '\\$&');
  const subject = [...(user.groups ?? []).map((group) => `/O=${escaped(group)}`), `/CN=${escaped(user.name)}`].join('');
  const name = `client-${process.pid}-${performance.now()}`;
  await issue(directory, name, subject, 'clientAuth');
  const [certificate, key] = [join(directory, `${name}.crt`), join(directory, `${name}.key`)];
  const issued = { certificate: await readFile(certificate, 'utf8'), key: await readFile(key, 'utf8') };
  await Promise.all([rm(certificate), rm(key)]);
  return issued;
}

async function issue(directory: string, name: string, subject: string, usage: string): Promise<void> {
  const file = (suffix: string) => join(directory, suffix);
  const names = `subjectAltName=IP:127.0.0.1,${NAMES.map((host) => `DNS:${host}`).join(',')}`;
  const extensions = ['basicConstraints=critical,CA:FALSE', `extendedKeyUsage=${usage}`, names];
  const from = ['-CA', file('ca.crt'), '-CAkey', file('ca.key'), '-days', '30', '-subj', subject];
  const out = ['-keyout', file(`${name}.key`), '-out', file(`${name}.crt`)];
  await openssl('req', '-x509', ...NEW_KEY, ...from, ...extensions.flatMap((line) => ['-addext', line]), ...out);
}

async function openssl(...args: string[]): Promise<void> {
  const program = await findPart('openssl');
  if (!program) throw new Error('MISSING PART openssl: see test/parts/README.md');
  // Umask of the shell: the keys are readable by their owner alone.
  await run('sh', ['-c', 'umask 077; exec "$@"', 'sh', program, ...args]);
}
