/** Takes the lock of a directory, says whether it got it, and stays until it is killed, or its parent ends. */
import { lockDirectory } from '../../core/files/lock.ts';

const [directory = ''] = process.argv.slice(2);
try {
  lockDirectory(directory, 'lock', 'the test');
  process.send?.('held');
} catch {
  process.send?.('refused');
}
process.once('disconnect', () => process.exit());
setInterval(() => {}, 60_000);
