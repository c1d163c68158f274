import * as fs from 'node:fs';
import type { TestContext } from 'node:test';
import { RESOURCES } from '../../../operator/kubernetes/resource.ts';
import { type EncryptedSecretObject, KubernetesStage, type StageOptions } from './stage.ts';

/** Who applies EncryptedSecret objects beside the operator. */
const CARRIER = 'argocd-controller';

export interface CarriedOptions extends StageOptions {
  carriedBy?: 'operator' | 'objects';
  /** How many of the stage's namespaces (the last ones) take objects that no commit has. */
  unverified?: number;
}

/** A stage whose operator looks at the EncryptedSecret objects that others apply to its namespaces. */
export async function openCarried(
  t: TestContext,
  { carriedBy = 'objects', unverified = 0, ...options }: CarriedOptions = {},
): Promise<KubernetesStage | undefined> {
  const stage = await KubernetesStage.open(t, options);
  if (stage === undefined) return undefined;
  const allowed = unverified === 0 ? [] : stage.apps.slice(-unverified);
  const carried = { namespaces: stage.apps, ...(allowed.length === 0 ? {} : { unverified: allowed }) };
  stage.configure({ ...options, git: { carriedBy }, sources: [{ encryptedSecrets: carried }] });
  return stage;
}

/** As Argo CD does it: server-side apply by a field manager of its own, without a look at what the operator does. */
export async function apply(stage: KubernetesStage, manifest: string): Promise<EncryptedSecretObject> {
  const { metadata } = JSON.parse(manifest) as { metadata: { namespace: string; name: string } };
  const file = stage.site.path('tmp', `${metadata.name}.json`);
  fs.writeFileSync(file, manifest);
  await stage.kubectl('-n', metadata.namespace, 'apply', '--server-side', `--field-manager=${CARRIER}`, '-f', file);
  const object = await stage.client.get<EncryptedSecretObject>(RESOURCES.encryptedSecrets, metadata);
  if (object === undefined) throw new Error('the object is not there');
  return object;
}

/** Who else than its carrier owns fields of an object, the status left out. */
export function othersFields({ metadata }: EncryptedSecretObject): string[] {
  const rows = (metadata.managedFields ?? []) as { manager?: string; subresource?: string }[];
  return rows.flatMap(({ manager = '', subresource }) =>
    manager === CARRIER || subresource === 'status' ? [] : [manager],
  );
}
