import assert from 'node:assert/strict';
import { eventually, type OperatorProcess } from './site.ts';

/**
 * Waits until all records of an operator's log are signed. A checkpoint that is still to be written makes room, by what it replaces, on
 * a disk that is filled up meanwhile.
 */
export async function untilSigned(operator: OperatorProcess): Promise<void> {
  await eventually(async () => {
    const metrics = await operator.get('/metrics');
    const count = (name: string) => new RegExp(`^${name} (.*)$`, 'm').exec(metrics)?.[1];
    assert.equal(count('coffer_audit_signed_records'), count('coffer_audit_records') ?? 'known');
  });
}
