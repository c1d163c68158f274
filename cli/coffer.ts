#!/usr/bin/env node
// The entry of the CLI. Only node's own modules are imported statically: the compile cache has to be on before oclif and
// the commands are loaded, or their compilation is not cached (it is about a third of a short command's CPU).
import module from 'node:module';
import { oldNode } from '../core/node-version.ts';
import packageJson from '../package.json' with { type: 'json' };
import { privateCacheDirectory } from './compile-cache.ts';

const argv = process.argv.slice(2);
const refusal = oldNode('coffer');

if (refusal !== undefined) {
  console.error(refusal);
  process.exitCode = 3;
} else if (argv.length === 1 && argv[0] === '--version') {
  // Scripts ask for it often, and it needs nothing that would have to be loaded.
  console.log(`coffer/${packageJson.version} ${process.platform}-${process.arch} node-${process.version}`);
} else {
  const cache = privateCacheDirectory(process.env);
  if (cache !== undefined) module.enableCompileCache(cache);
  // The version was looked at above; oclif would read a file and load a parser of version ranges for it.
  process.env.OCLIF_DISABLE_ENGINE_WARNING = '1';
  const { start } = await import('./start.ts');
  delete process.env.OCLIF_DISABLE_ENGINE_WARNING;
  await start(argv, import.meta);
}
