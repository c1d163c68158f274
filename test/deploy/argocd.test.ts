/** Argo CD's health check of EncryptedSecret objects, run by a real Lua on statuses as the operator writes them. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { load } from 'js-yaml';
import type { StoredObject } from '../../operator/publish/encrypted-secrets.ts';
import { statusOf } from '../../operator/publish/status.ts';
import type { SecretStatus } from '../../operator/status/status.ts';
import { partOrSkip } from '../parts/parts.ts';

const run = promisify(execFile);
const FOLDER = join(import.meta.dirname, '../../deploy/argocd');

/** Plain data as a Lua table. */
function lua(value: unknown): string {
  if (Array.isArray(value)) return `{${value.map(lua).join(', ')}}`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? 'nil');
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return `{${fields.map(([name, field]) => `[${JSON.stringify(name)}] = ${lua(field)}`).join(', ')}}`;
}

/** `STATUS message`, as Argo CD would show it: the check gets the object as the global `obj`. */
async function healthOf(interpreter: string, object: object): Promise<string> {
  const check = await readFile(join(FOLDER, 'health.lua'), 'utf8');
  const call = `obj = ${lua(object)}\nlocal health = (function()\n${check}\nend)()\nio.write(health.status, " ", health.message)`;
  return (await run(interpreter, ['-e', call])).stdout;
}

/** What the operator writes on an object of generation 2 that it observed. */
function objectOf(secret: Partial<SecretStatus>, isMirror = false, generation = 2): object {
  const stored: StoredObject = {
    ...{
      namespace: 'payments',
      name: 'db',
      uid: 'u',
      resourceVersion: '1',
      generation: 2,
      isMirror,
      isLabelled: isMirror,
    },
    ...{ fingerprint: '', status: { fingerprint: '', conditions: [] } },
  };
  const all: SecretStatus = {
    namespace: 'payments',
    name: 'db',
    state: 'ready',
    workloads: ['payments/db'],
    ...secret,
  };
  return { metadata: { name: 'db', generation }, status: statusOf(all, stored, new Date()) };
}

const trouble = (code: string) => ({ code, message: 'the key is not here', advice: 'Run `coffer rewrap`.', data: {} });
const verified = (status: 'True' | 'False', reason: NonNullable<SecretStatus['verified']>['reason']) => ({
  verified: { status, reason, message: 'as git says' },
});

const CASES: [what: string, object: object, health: RegExp][] = [
  ['nobody has looked at', { metadata: { generation: 1 } }, /^Progressing .*not come to it yet/],
  ['is projected', objectOf(verified('True', 'Vouched')), /^Healthy Projected: It is projected into payments/],
  ['is projected and behind git', objectOf(verified('True', 'Behind')), /^Healthy Behind: as git says/],
  ['was changed since', objectOf({}, false, 3), /^Progressing .*newest change/],
  ['is deleted', { metadata: { deletionTimestamp: 'now' } }, /^Progressing It is being deleted/],
  ['says other than git', objectOf(verified('False', 'Differs')), /^Degraded Differs: as git says/],
  [
    'cannot be opened',
    objectOf({ state: 'failed', trouble: trouble('STANZA_UNKNOWN_KEY') }),
    /^Degraded StanzaUnknownKey: The key is not here\. Run `coffer rewrap`\./,
  ],
  [
    'will be tried again',
    objectOf({ state: 'failed', isRetried: true, trouble: trouble('KUBERNETES_BUSY') }),
    /^Progressing KubernetesBusy/,
  ],
  ['a person suspended', objectOf({ state: 'failed', trouble: trouble('SECRET_SUSPENDED') }), /^Suspended Suspended/],
  [
    'waits for a confirmation',
    objectOf({ state: 'held', heldBy: 'c0ffee' }, true),
    /^Suspended RemovalHeld: .*--confirm c0ffee/,
  ],
  ['is retained', objectOf({ state: 'retained' }, true), /^Healthy Retained/],
];

for (const [what, object, health] of CASES) {
  test(`Argo CD shows how an object is doing that ${what}`, async (t) => {
    const interpreter = await partOrSkip(t, 'lua');
    if (interpreter === undefined) return;
    assert.match(await healthOf(interpreter, object), health);
  });
}

test('what is patched into argocd-cm is that health check', async () => {
  const patch = load(await readFile(join(FOLDER, 'argocd-cm.yaml'), 'utf8')) as { data: Record<string, string> };
  assert.deepEqual(patch.data, {
    'resource.customizations.health.coffer.dev_EncryptedSecret': await readFile(join(FOLDER, 'health.lua'), 'utf8'),
  });
});
