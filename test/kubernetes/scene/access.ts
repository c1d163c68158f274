import assert from 'node:assert/strict';
import type { Cluster } from '../../cluster/cluster.ts';
import { eventually } from '../../operator/site.ts';

/** https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/subject-access-review-v1/ */
interface ResourceAttributes {
  namespace: string;
  group: string;
  resource: string;
  subresource?: string;
  verb: string;
}

/** Waits until RBAC lets a user do this: the API server judges by a cache, which is a moment behind what it has stored. */
export async function untilAllowed(
  { admin }: Cluster,
  user: string,
  resourceAttributes: ResourceAttributes,
): Promise<void> {
  const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
  const identity = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview' };
  await eventually(async () => {
    const { status } = JSON.parse(
      await admin.expect('POST', path, { ...identity, spec: { user, resourceAttributes } }),
    );
    assert.equal(status.allowed, true, JSON.stringify(status));
  });
}
