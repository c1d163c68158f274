/**
 * Verifies commits that follow each other, newest first: `verifier.ts REPOSITORY COMMIT COUNT ALLOWED-SIGNERS`. Writes a line of
 * JSON: how many were good, and milliseconds of CPU once its code was loaded.
 */

import { readFileSync } from 'node:fs';
import { readSigned } from '../../../core/git/commits/signed-object.ts';
import { openRepository } from '../../../core/git/repository.ts';
import { Signers } from '../../../core/signatures/signers.ts';

const [directory = '', newest = '', count = '0', file = ''] = process.argv.slice(2);
const began = process.cpuUsage();
const repository = await openRepository(directory);
const signers = await Signers.read({ ssh: { allowedSigners: { file, bytes: readFileSync(file) } } });
let good = 0;
let commit = newest;
for (let left = Number(count); left > 0; left--) {
  const { bytes } = repository.readRaw(commit);
  const { outcome } = await signers.verify(readSigned('commit', commit, bytes), new Date());
  if (outcome === 'good') good++;
  commit = (await repository.readCommit(commit)).parents[0] ?? '';
}
const { user, system } = process.cpuUsage(began);
console.log(JSON.stringify({ good, cpu: (user + system) / 1000 }));
