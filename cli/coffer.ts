#!/usr/bin/env node
// The entry of the CLI. Only node's own modules are imported statically: the compile cache has to be on before oclif and
// the commands are loaded, or their compilation is not cached (it is about a third of a short command's CPU).
import module from 'node:module';
import packageJson from '../package.json' with { type: 'json' };
import { privateCacheDirectory } from './compile-cache.ts';

const LEAST_NODE = [22, 19] as const;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const argv = process.argv.slice(2);

if (major < LEAST_NODE[0] || (major === LEAST_NODE[0] && minor < LEAST_NODE[1])) {
  // An older node can still load this file, so it gives this message instead of a syntax error.
  console.error(`coffer needs Node ${LEAST_NODE.join('.')} or later; this is ${process.version}.`);
  console.error('  Put a newer node first on the PATH.');
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
