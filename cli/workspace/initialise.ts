import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { CONFIG_PATH, readConfig } from '../../core/config/repository.ts';
import { CofferError } from '../../core/errors.ts';
import { writeFileAtomically } from '../../core/files/atomic.ts';
import { placeFile } from '../../core/files/place-file.ts';
import { isSystemError, undefinedIfMissing } from '../../core/files/system-error.ts';

export interface Step {
  what: string;
  changed: boolean;
}

export interface Initialised {
  root: string;
  steps: Step[];
  warnings: string[];
}

const DRIVERS = {
  'diff.coffer.textconv': 'coffer diff --textconv',
  'diff.coffer.cachetextconv': 'false',
  'merge.coffer.name': 'coffer: unites the stanzas of both sides',
  'merge.coffer.driver': 'coffer resolve --driver %O %A %B %P',
};

const HOOK_LINE = 'coffer check --staged';

const HOOK = `#!/bin/sh
# Written by coffer init: refuses a commit that would put plaintext or a broken manifest into git's history.
if command -v coffer >/dev/null 2>&1; then exec ${HOOK_LINE}; fi
if [ -x node_modules/.bin/coffer ]; then exec node_modules/.bin/${HOOK_LINE}; fi
echo 'coffer is not installed, so nothing checked this commit for plaintext. Install it, or skip the check once with' >&2
echo '  git commit --no-verify' >&2
exit 1
`;

/** Sets up the git repository that holds `from`. What is there stays as it is. Throws INIT_NOT_GIT. */
export async function initialise(from: string, wanted: { paths: string[]; hook: boolean }): Promise<Initialised> {
  const root = await gitRoot(from);
  const warnings: string[] = [];
  const steps = [await makeConfig(root, wanted.paths), await makeRecipientsFolder(root), await addAttributes(root)];
  steps.push(...(await setDrivers(root, warnings)));
  if (wanted.hook) steps.push(...(await installHook(root, warnings)));
  return { root, steps, warnings };
}

async function gitRoot(from: string): Promise<string> {
  try {
    return (await git(from, 'rev-parse', '--show-toplevel')).trim();
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) {
      throw new CofferError('INIT_NO_GIT', 'the program git is not installed', {
        advice: 'Install git.',
        cause: error,
      });
    }
    throw new CofferError('INIT_NOT_GIT', `${from} is not in the work tree of a git repository`, {
      advice: 'Run `git init` at the root of the repository first.',
      data: { path: from },
      cause: error,
    });
  }
}

async function makeConfig(root: string, paths: string[]): Promise<Step> {
  const step = await writeIfMissing(join(root, CONFIG_PATH), () => configText(paths));
  // A configuration that is there has to be one that works.
  await readConfig(root);
  return { what: CONFIG_PATH, changed: step };
}

function configText(paths: string[]): string {
  const include = paths.length === 0 ? [] : [`  include: [${paths.map((path) => JSON.stringify(path)).join(', ')}]`];
  return [
    'apiVersion: coffer.dev/v1',
    'kind: Config',
    'metadata: {name: coffer}',
    'spec:',
    '  # Random: what each person trusts in this repository is kept under this id. Never change it.',
    `  repository: ${JSON.stringify(randomBytes(16).toString('base64url'))}`,
    ...include,
    '  # The recipients that `coffer new` gives a manifest under a path; the first match counts:',
    '  # rules:',
    '  #   - {path: "production/**", recipients: [production, recovery]}',
    '',
  ].join('\n');
}

async function makeRecipientsFolder(root: string): Promise<Step> {
  const made = await mkdir(join(root, '.coffer', 'recipients'), { recursive: true });
  return { what: '.coffer/recipients/', changed: made !== undefined };
}

/** The drivers for the files in which manifests are looked for; a line that is there, whatever it says, stays. */
async function addAttributes(root: string): Promise<Step> {
  const file = join(root, '.gitattributes');
  const { include } = await readConfig(root);
  const patterns = include.length === 0 ? ['*.yaml', '*.yml'] : include.filter((glob) => !glob.startsWith('!'));
  const lines = [
    ...patterns.map((pattern) => `${quotePattern(pattern)} diff=coffer merge=coffer`),
    '*.ejson diff=coffer',
  ];
  const before = await readIfThere(file);
  const present = new Set((before ?? '').split(/\r?\n/).map((line) => line.trim()));
  const missing = lines.filter((line) => !present.has(line));
  if (missing.length === 0) return { what: '.gitattributes', changed: false };
  const gap = before === undefined || before === '' || before.endsWith('\n') ? '' : '\n';
  await writeFileAtomically(file, `${before ?? ''}${gap}${missing.join('\n')}\n`);
  return { what: '.gitattributes', changed: true };
}

/** gitattributes has no negation and splits at spaces, so a pattern that has one stands in quotes. */
function quotePattern(pattern: string): string {
  return /[\s"]/.test(pattern) ? JSON.stringify(pattern) : pattern;
}

async function setDrivers(root: string, warnings: string[]): Promise<Step[]> {
  const steps: Step[] = [];
  for (const [name, value] of Object.entries(DRIVERS)) {
    const before = await gitConfig(root, name);
    if (before === undefined) await git(root, 'config', '--local', name, value);
    else if (before !== value)
      warnings.push(`git's ${name} is "${before}" and was left as it is; coffer's would be "${value}"`);
    steps.push({ what: `git config ${name}`, changed: before === undefined });
  }
  return steps;
}

/**
 * A hook of somebody else's is theirs: it is never written over nor moved. Where `core.hooksPath` points, hooks are
 * shared, or made by another tool, so nothing is written there either.
 */
async function installHook(root: string, warnings: string[]): Promise<Step[]> {
  const hooksPath = await gitConfig(root, 'core.hooksPath');
  const hook = await hookFile(root);
  const what = `pre-commit hook (${isInside(root, hook) ? relative(root, hook) : hook})`;
  const before = await readIfThere(hook);
  if (before?.includes('coffer check')) return [{ what, changed: false }];
  if (before === undefined && hooksPath === undefined) {
    await placeFile(hook, HOOK, { mode: 0o755 });
    return [{ what, changed: true }];
  }
  warnings.push(
    before === undefined
      ? `core.hooksPath is set, so no hook was installed; have the pre-commit hook there run: ${HOOK_LINE}`
      : `there is a pre-commit hook already (${hook}); add this line to it: ${HOOK_LINE}`,
  );
  return [];
}

async function hookFile(root: string): Promise<string> {
  const path = (await git(root, 'rev-parse', '--git-path', 'hooks/pre-commit')).trim();
  return isAbsolute(path) ? path : join(root, path);
}

function isInside(root: string, path: string): boolean {
  return !relative(root, path).startsWith('..');
}

async function gitConfig(root: string, name: string): Promise<string | undefined> {
  try {
    return (await git(root, 'config', '--get', name)).replace(/\n$/, '');
  } catch (error) {
    // git's exit code for a name that is not set.
    if (error instanceof Error && 'code' in error && error.code === 1) return undefined;
    throw error;
  }
}

async function git(cwd: string, ...args: string[]): Promise<string> {
  return (await promisify(execFile)('git', args, { cwd, encoding: 'utf8' })).stdout;
}

async function writeIfMissing(path: string, text: () => string): Promise<boolean> {
  if ((await readIfThere(path)) !== undefined) return false;
  await placeFile(path, text());
  return true;
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(undefinedIfMissing);
}
