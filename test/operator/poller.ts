/** A process that polls a source as fast as it can, to be killed: `poller.ts URL STATE_DIRECTORY`. */
import { openGitSource } from '../../operator/source/open-git-source.ts';

const [url = '', stateDirectory = ''] = process.argv.slice(2);
const source = await openGitSource({ url, allowHttp: true }, stateDirectory);
const never = new AbortController().signal;
process.stdout.write('polling\n');
for (;;) await source.poll(never);
