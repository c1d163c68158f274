import { createHash, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AdminApi } from './api.ts';
import { issueClient } from './certificates.ts';

/**
 * Whoever RBAC judges: a person, or a ServiceAccount that exists. A person of `PEOPLE` without groups comes with a bearer
 * token (which a TokenReview knows), any other with a client certificate.
 */
export type User = { name: string; groups?: readonly string[] } | { namespace: string; serviceAccount: string };

export const ADMIN = 'admin';
/** The API server reads its tokens once, at its start, so these are fixed. */
const PEOPLE = ['alice', 'bob', 'carol', 'mallory'] as const;

const TOKEN_SECONDS = 6 * 3600;

/** Writes `tokens.csv` for `--token-auth-file`. */
export async function writeTokens(directory: string): Promise<void> {
  const line = (name: string, group: string) => `${randomBytes(24).toString('base64url')},${name},${name},${group}\n`;
  const text = line(ADMIN, 'system:masters') + PEOPLE.map((name) => line(name, 'people')).join('');
  await writeFile(join(directory, 'tokens.csv'), text, { mode: 0o600 });
}

export async function tokenOf(directory: string, name: string): Promise<string> {
  const lines = (await readFile(join(directory, 'tokens.csv'), 'utf8')).trimEnd().split('\n');
  const [token] = lines.map((line) => line.split(',')).find(([, user]) => user === name) ?? [];
  if (token === undefined) throw new Error(`there is no token for ${name}`);
  return token;
}

/** Writes a kubeconfig with the user's credentials into the cluster's folder and returns its path. */
export async function writeKubeconfig(
  cluster: { directory: string; server: string; caFile: string },
  api: AdminApi,
  user: User,
): Promise<string> {
  const isAccount = 'serviceAccount' in user;
  const name = isAccount ? `system:serviceaccount:${user.namespace}:${user.serviceAccount}` : user.name;
  const credentials = isAccount ? await accountToken(api, user) : await personal(cluster.directory, user);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: cluster.server, 'certificate-authority': cluster.caFile } }],
    users: [{ name, user: credentials }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: name } }],
    'current-context': 'test',
  };
  const text = JSON.stringify(config, null, 1);
  const path = join(cluster.directory, `${name.replaceAll(/[^\w.-]/g, '-')}-${digest(text)}.kubeconfig`);
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

async function personal(directory: string, user: { name: string; groups?: readonly string[] }): Promise<object> {
  const isListed = [ADMIN, ...PEOPLE].includes(user.name) && !user.groups?.length;
  if (isListed) return { token: await tokenOf(directory, user.name) };
  const { certificate, key } = await issueClient(directory, user);
  return { 'client-certificate-data': base64(certificate), 'client-key-data': base64(key) };
}

async function accountToken(api: AdminApi, user: { namespace: string; serviceAccount: string }): Promise<object> {
  const path = `/api/v1/namespaces/${user.namespace}/serviceaccounts/${user.serviceAccount}/token`;
  const spec = { expirationSeconds: TOKEN_SECONDS };
  const answer = await api.expect('POST', path, { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec });
  const { status }: { status: { token: string } } = JSON.parse(answer);
  return { token: status.token };
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
