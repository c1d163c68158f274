/** A site whose operator rotates values, of a PostgreSQL where that is wanted. */
import { writeFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { Site, type SiteOptions } from '../operator/site.ts';
import type { Postgres } from '../servers/postgres.ts';
import { recipientFiles } from '../support/secrets.ts';

export const ADMIN = { user: 'coffer_admin', password: 'of the admin' };
export const USERS = ['app_a', 'app_b'] as const;

/** As docs/rotation.md tells people to do it. */
export async function prepare(server: Postgres, password: string): Promise<void> {
  const [one, two] = USERS;
  await server.sql(`
    CREATE ROLE ${ADMIN.user} LOGIN CREATEROLE PASSWORD '${ADMIN.password}';
    CREATE ROLE app NOLOGIN;
    CREATE ROLE ${one} LOGIN IN ROLE app PASSWORD '${password}'; ALTER ROLE ${one} SET role TO app;
    CREATE ROLE ${two} NOLOGIN IN ROLE app; ALTER ROLE ${two} SET role TO app`);
}

export const CONFIG = JSON.stringify({
  apiVersion: 'coffer.dev/v1',
  kind: 'Config',
  metadata: { name: 'config' },
  spec: { repository: 'AAAAAAAAAAAAAAAAAAAAAA', rotatingCluster: 'production' },
});

export interface RotatingOptions extends SiteOptions {
  rotators?: object[];
}

/** With an identity, so that it may push; its own pushes are looked at whatever the interval. */
export async function openRotating(t: TestContext, { rotators = [], ...options }: RotatingOptions = {}): Promise<Site> {
  const site = await Site.open(t, { git: { push: {} }, ...options });
  await site.tree.git('config', 'receive.denyCurrentBranch', 'updateInstead');
  site.configure({ rotation: { rotators } });
  await site.tree.commit({
    ...recipientFiles(site.production, site.staging),
    '.coffer/config.yaml': CONFIG,
  });
  return site;
}

/** Of the one database of a test. */
export function postgresRotator(site: { path(name: string): string }, server: Postgres): object {
  writeFileSync(site.path('url'), server.url(ADMIN.user, ADMIN.password));
  return {
    name: 'payments-db',
    secrets: ['payments/db'],
    postgres: { urlFile: site.path('url'), users: USERS, entries: { username: 'username', password: 'password' } },
  };
}

/** For `username` and `password`; the URL is one file, so that nobody reads the user of one moment with the password of another. */
export function databaseSpec({ port }: Postgres, rotation: object): object {
  const url = `postgres://\${username:uri}:\${password:uri}@127.0.0.1:${port}/postgres`;
  return { rotation: { password: rotation }, template: { data: { DATABASE_URL: url } } };
}

/** A manifest's text with more in its `spec`. */
export function withSpec(text: string, more: object): string {
  const manifest = JSON.parse(text);
  return `${JSON.stringify({ ...manifest, spec: { ...manifest.spec, ...more } }, null, 2)}\n`;
}
