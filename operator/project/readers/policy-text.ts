import { join } from 'node:path';
import { dump } from 'js-yaml';
import { policyObjects } from './policy.ts';

export const POLICY_FILE = join(import.meta.dirname, '../../../deploy/helm/coffer/files/policy/readers.yaml');

const HEAD = `# Who may refer to the Secrets of coffer (docs/threat-model.md says what this does not stop).
# Written by operator/project/readers/write-policy.ts from its table of reference fields.
`;

export function policyText(): string {
  const documents = policyObjects().map((object) => dump(object, { lineWidth: -1, noRefs: true }));
  return HEAD + documents.join('---\n');
}
