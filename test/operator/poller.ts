/** A process that polls a source as fast as it can, to be killed: `poller.ts CONFIG STATE_DIRECTORY`, CONFIG as JSON. */
import { CofferError } from '../../core/errors.ts';
import { openGitSource } from '../../operator/source/open-git-source.ts';

const [config = '', stateDirectory = ''] = process.argv.slice(2);
const source = await openGitSource(JSON.parse(config), stateDirectory);
const never = new AbortController().signal;
process.stdout.write('polling\n');
for (;;) {
  try {
    const state = await source.poll(never);
    if (state !== 'unchanged') await source.told(state);
  } catch (error) {
    // A commit that is refused stays there, and is looked at again.
    if (!(error instanceof CofferError && error.code.startsWith('TRUST_'))) throw error;
  }
}
