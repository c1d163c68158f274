/** Takes the lock of a directory, says whether it got it, and stays until it is killed. */
import { lockDirectory } from '../../core/files/lock.ts';

const [directory = ''] = process.argv.slice(2);
try {
  lockDirectory(directory, 'lock', 'the test');
  process.send?.('held');
} catch {
  process.send?.('refused');
}
setInterval(() => {}, 60_000);
