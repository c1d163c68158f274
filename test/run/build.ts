/**
 * Makes `dist/`: the programs, bundled so that they start fast, and the manifest that tells oclif the commands' flags
 * without loading them. Everything is written to a folder of its own and swapped in by renames, and chunks carry a hash
 * of their content, so a program that runs while this does never loads half of one build and half of another.
 */
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Plugin } from '@oclif/core';
import { rolldown } from 'rolldown';
import packageJson from '../../package.json' with { type: 'json' };
import { lighterOclif } from './lighter-oclif.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const DIST = join(ROOT, 'dist');
const ENTRIES = {
  coffer: 'cli/coffer.ts',
  commands: 'cli/commands.ts',
  'coffer-operator': 'operator/coffer-operator.ts',
  'coffer-node': 'operator/node-plugin/coffer-node.ts',
};
const PROGRAMS = ['coffer.js', 'coffer-operator.js', 'coffer-node.js'];
/** Chunks of former builds stay this long: a program that started before the swap may still import one. */
const STALE_AFTER_MS = 15 * 60 * 1000;

/** oclif's own help and errors look for files beside their source; inside a bundle that is the bundle's folder. */
const COMMONJS_NAMES = { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename' };

/**
 * What nearly every command needs is one file: Node takes about half a millisecond to find and link each. Only what is
 * listed goes in, and not what that imports, or oclif and the schemas' sources would come along; nor what is loaded at
 * every start (errors, flags), or all of it would be.
 */
const ONE_FILE = {
  includeDependenciesRecursively: false,
  groups: [
    {
      name: 'core',
      test: /\/core\/(?:config|crypto|files|format|keys|opening|wildcard)|\/schemas\/(?:checks|grammar|validate)|node_modules\/(?:js-yaml|ignore)\//,
    },
    { name: 'workspace', test: /\/cli\/(?:workspace|seal|input\/(?!ejson-arguments|select-document))/ },
  ],
};

async function bundle(to: string): Promise<void> {
  const build = await rolldown({
    cwd: ROOT,
    input: ENTRIES,
    platform: 'node',
    preserveEntrySignatures: 'allow-extension',
    external: [
      // oclif requires it only to run TypeScript sources; bundled, it would make coffer ten times as large.
      'typescript',
      // What ssh2 would use of native code, and does without where it is not built, as here (`allowScripts`).
      'cpu-features',
      /\.node$/,
    ],
    plugins: lighterOclif,
    transform: { define: COMMONJS_NAMES },
    onLog(level, log, handle) {
      // lilconfig and depd evaluate code that no path of ours reaches; anything else stops the build.
      if (log.code === 'EVAL') return;
      handle(level === 'warn' ? 'error' : level, log);
    },
  });
  await build.write({
    dir: to,
    format: 'es',
    minify: true,
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    codeSplitting: ONE_FILE,
  });
  await build.close();
  for (const program of PROGRAMS) await chmod(join(to, program), 0o755);
}

/** `oclif.manifest.json`: with it, help and flag parsing need no command's code but that of the one which runs. */
async function describeCommands(dir: string): Promise<void> {
  const commands = { strategy: 'explicit', target: './commands.js', identifier: 'COMMANDS' } as const;
  const plugin = new Plugin({
    root: dir,
    pjson: { ...packageJson, oclif: { ...packageJson.oclif, topicSeparator: ' ', commands } },
    isRoot: true,
    ignoreManifest: true,
    errorOnManifestCreate: true,
    respectNoCacheDefault: true,
  });
  await plugin.load();
  await writeFile(join(dir, 'oclif.manifest.json'), JSON.stringify(plugin.manifest));
}

/** Chunks first, then the files that name them, each by a rename: a reader sees an old file or a new one. */
async function swapIn(built: string): Promise<void> {
  const files = await readdir(built);
  const isChunk = (file: string) => /-[\w-]{8}\.js$/.test(file) && !PROGRAMS.includes(file);
  for (const file of files.toSorted((a, b) => Number(isChunk(b)) - Number(isChunk(a)))) {
    await rename(join(built, file), join(DIST, file));
  }
  for (const file of await readdir(DIST)) {
    if (files.includes(file)) continue;
    const { mtimeMs } = await stat(join(DIST, file));
    if (Date.now() - mtimeMs > STALE_AFTER_MS) await rm(join(DIST, file), { recursive: true });
  }
}

const started = performance.now();
await mkdir(DIST, { recursive: true });
const built = await mkdtemp(join(DIST, '.build-'));
try {
  await bundle(built);
  await describeCommands(built);
  await swapIn(built);
} finally {
  await rm(built, { recursive: true, force: true });
}
console.log(`dist/ built in ${Math.round(performance.now() - started)} ms`);
