/**
 * What the build leaves out of oclif and of its dependencies: work that they do at every start and that no command of
 * ours needs. Each was measured; together they are about a sixth of what a short command costs.
 */
import type { Plugin } from 'rolldown';

/**
 * oclif sorts the commands' ids by locale at every start, and a process's first `localeCompare` loads ICU's collation
 * tables: 10 to 20 ms of CPU. The ids are ASCII.
 */
const sortByCodeUnits: Plugin = {
  name: 'sort-by-code-units',
  transform: {
    filter: { id: /@oclif\/core\/lib\/config\/plugin\.js$/ },
    handler(code: string): string {
      const sorted = code.replace('a.id.localeCompare(b.id)', '(a.id < b.id ? -1 : 1)');
      if (sorted === code) throw new Error('oclif no longer sorts commands as sortByCodeUnits expects');
      return sorted;
    },
  },
};

/** Importing `node:process` makes Node evaluate every getter of `process`: 5 to 7 ms. The global is the same object. */
const GLOBAL_PROCESS = 'export default globalThis.process;';

/** For what reads package.json files, finds commands by their file names, and asks Windows for its shell. */
const NEVER_CALLED = 'export const lilconfig = undefined, minimatch = undefined, glob = undefined, isWsl = false;';

/**
 * Modules of Node's own that oclif requires when it is loaded and uses on Windows, for prompts, or to time itself: 2 to 4
 * ms each. They are loaded when something in them is asked for.
 */
const whenUsed = (id: string) =>
  `module.exports = new Proxy({}, { get: (_, name) => process.getBuiltinModule(${JSON.stringify(id)})[name] });`;

const REPLACED: Record<string, string> = {
  process: GLOBAL_PROCESS,
  'node:process': GLOBAL_PROCESS,
  lilconfig: NEVER_CALLED,
  minimatch: NEVER_CALLED,
  tinyglobby: NEVER_CALLED,
  'wsl-utils': NEVER_CALLED,
  'node:child_process': whenUsed('node:child_process'),
  'node:perf_hooks': whenUsed('node:perf_hooks'),
  'node:readline': whenUsed('node:readline'),
};

const replaceModules: Plugin = {
  name: 'replace-modules',
  resolveId: (id, importer) => (id in REPLACED && importer?.includes('node_modules') ? `\0replaced:${id}` : undefined),
  load: (id) => (id.startsWith('\0replaced:') ? REPLACED[id.slice('\0replaced:'.length)] : undefined),
};

export const lighterOclif: Plugin[] = [sortByCodeUnits, replaceModules];
