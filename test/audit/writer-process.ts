/**
 * Appends to a log until it is killed, in bursts that fill tiles, and prints the number of the newest record that was acknowledged.
 * Arguments: the directory, the identity's seed in hex.
 */
import { openAuditLog } from '../../core/audit/open-log.ts';
import { testSigner } from '../support/log-signer.ts';

const [directory = '', seed = ''] = process.argv.slice(2);
const log = await openAuditLog(directory, {
  cluster: 'production',
  now: () => new Date(),
  signer: testSigner(Buffer.from(seed, 'hex')),
  reserve: 4096,
});
process.stdout.write(`opened ${log.size}\n`);
for (;;) {
  const burst = Array.from({ length: 300 }, (_, at) => log.append([{ event: 'secret.intent', operation: `${at}` }]));
  await Promise.all(burst);
  process.stdout.write(`${log.size}\n`);
  await log.sign();
}
