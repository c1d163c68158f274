#!/usr/bin/env node
// The entry of the CLI. Only node's own modules are imported statically: the compile cache has to be on before oclif and
// the commands are loaded, or their compilation is not cached (it is about a third of a short command's CPU).
import { enableCompileCache } from 'node:module';
import { privateCacheDirectory } from './compile-cache.ts';

const cache = privateCacheDirectory(process.env);
if (cache !== undefined) enableCompileCache(cache);

const { start } = await import('./start.ts');
await start(process.argv.slice(2), import.meta);
