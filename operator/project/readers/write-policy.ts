/** Writes the policy that the chart includes: `node operator/project/readers/write-policy.ts`. A test holds both together. */

import { writeFile } from 'node:fs/promises';
import { POLICY_FILE, policyText } from './policy-text.ts';

await writeFile(POLICY_FILE, policyText());
