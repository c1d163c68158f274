import { extname } from 'node:path';
import { Config, run, settings } from '@oclif/core';
import packageJson from '../package.json' with { type: 'json' };
import { ejsonArguments } from './input/ejson-arguments.ts';
import { exitCodeOf, renderError, renderErrorJson } from './output.ts';
import { cleanUpOnSignals } from './signals.ts';
import { TOPICS } from './topics.ts';

/** What oclif needs to know, said here so that it reads no package.json at start-up. */
export function packageOf(entry: ImportMeta) {
  return {
    name: packageJson.name,
    version: packageJson.version,
    type: 'module',
    oclif: {
      bin: 'coffer',
      dirname: 'coffer',
      topicSeparator: ' ' as const,
      topics: TOPICS,
      // commands.ts beside coffer.ts in the source tree, commands.js beside coffer.js in dist/.
      commands: {
        strategy: 'explicit' as const,
        target: `./commands${extname(entry.filename)}`,
        identifier: 'COMMANDS',
      },
    },
  };
}

/** Runs one command line. Ends by setting `process.exitCode`, so that what was written to a pipe arrives. */
export async function start(argv: string[], entry: ImportMeta): Promise<void> {
  // oclif would look for tsx or ts-node; node runs the TypeScript as it is.
  settings.enableAutoTranspile = false;
  cleanUpOnSignals();
  const options = { root: entry.dirname, pjson: packageOf(entry), isRoot: true };
  try {
    await run(argv[0] === 'ejson' ? ejsonArguments(argv) : argv, await Config.load(options));
  } catch (error) {
    // What a command throws is rendered by its base class; here arrive unknown commands and what failed before one ran.
    process.exitCode = exitCodeOf(error);
    if (argv.includes('--json')) process.stdout.write(renderErrorJson(error));
    else process.stderr.write(renderError(error, process.stderr));
  }
}
