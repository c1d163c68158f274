import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { describe, test } from 'node:test';

const ROOT = join(import.meta.dirname, '..', '..');

/** docs/architecture.md, "The layers": which layers a layer may import from. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  schemas: ['schemas'],
  core: ['core', 'schemas'],
  cli: ['cli', 'core', 'schemas', 'package.json'],
  operator: ['operator', 'core', 'schemas', 'package.json'],
};

/** The rooms of a layer, and of its largest rooms, from the ground up: a room imports from those before it only. */
const ROOMS: Record<string, readonly (readonly string[])[]> = {
  core: [
    ['core/files'],
    ['core/crypto', 'core/git', 'core/audit'],
    ['core/signatures'],
    ['core/ejson'],
    ['core/format/document', 'core/format/sealed'],
    ['core/format/manifest'],
    ['core/format/edit'],
    ['core/format/merge'],
    ['core/config'],
    ['core/keys'],
    ['core/opening'],
    ['core/requests'],
    ['core/trust'],
    ['core/exposure'],
    ['core/rotation'],
    ['core/values'],
    ['core/check'],
  ],
  operator: [
    ['operator/config', 'operator/concurrency', 'operator/process'],
    ['operator/kubernetes', 'operator/status'],
    ['operator/trust', 'operator/chores', 'operator/outbox'],
    ['operator/source'],
    ['operator/keys', 'operator/project'],
    ['operator/push'],
    ['operator/publish', 'operator/enrol', 'operator/requests', 'operator/serve', 'operator/hooks', 'operator/audit'],
    ['operator/rotate', 'operator/exposure'],
    ['operator/reconcile'],
    ['operator/volumes', 'operator/follow'],
    ['operator/node-plugin'],
  ],
  'core/audit': [['core/audit/tree'], ['core/audit/note'], ['core/audit/writer', 'core/audit/verify']],
  'core/git': [
    ['core/git/packs', 'core/git/sha1'],
    ['core/git/objects'],
    ['core/git/trees', 'core/git/commits'],
    ['core/git/grammar', 'core/git/refs'],
    ['core/git/intake'],
  ],
  'core/trust': [['core/trust/policy', 'core/trust/aspects'], ['core/trust/sealed'], ['core/trust/history']],
  'operator/source': [['operator/source/clone'], ['operator/source/remote'], ['operator/source/admission']],
  'operator/rotate': [['operator/rotate/rotators'], ['operator/rotate/keys', 'operator/rotate/values']],
  'operator/rotate/values': [
    ['operator/rotate/values/remembered'],
    ['operator/rotate/values/due'],
    ['operator/rotate/values/steps'],
  ],
  'operator/reconcile': [
    ['operator/reconcile/state'],
    ['operator/reconcile/objects', 'operator/reconcile/status'],
    ['operator/reconcile/work'],
  ],
  'operator/project': [
    ['operator/project/folder', 'operator/project/readers'],
    ['operator/project/directory', 'operator/project/restart'],
    ['operator/project/secrets'],
  ],
};

/** Too heavy to load before a command needs it. */
const HEAVY = [
  '@kubernetes/client-node',
  '@kubernetes/client-node/dist/config.js',
  'isomorphic-git',
  'libsodium',
  'libsodium-wrappers',
  'openpgp',
  'tweetnacl',
  'ssh2',
  'undici',
];
/** What of core a command may load at once: small, and without imports of its own beyond these. */
const LIGHT = ['core/errors.ts', 'core/files/atomic.ts', 'core/files/system-error.ts', 'core/node-version.ts'];

interface Import {
  from: string;
  isStatic: boolean;
}

function importsOf(file: string): Import[] {
  const source = readFileSync(join(ROOT, file), 'utf8');
  const statics = source.matchAll(/^(?:import|export)(?! type\b)[^;'"]*?from '([^']+)'|^import '([^']+)'/gm);
  const dynamics = source.matchAll(/\bimport\('([^']+)'\)/g);
  return [
    ...Array.from(statics, ([, named, bare]) => ({ from: named ?? bare ?? '', isStatic: true })),
    ...Array.from(dynamics, ([, from = '']) => ({ from, isStatic: false })),
  ];
}

const resolve = (file: string, from: string) => relative(ROOT, join(ROOT, dirname(file), from));
/** Every file of ours that a file names in an import, for types too. */
function neighboursOf(file: string): string[] {
  if (!file.endsWith('.ts')) return [];
  const source = readFileSync(join(ROOT, file), 'utf8');
  return Array.from(source.matchAll(/\b(?:from |import\()'(\.[^']+)'/g), ([, from = '']) => resolve(file, from));
}

const isSource = (file: string) => !file.endsWith('.test.ts');

for (const [layer, allowed] of Object.entries(MAY_IMPORT)) {
  test(`${layer} imports from ${allowed.join(', ')} only`, () => {
    for (const file of globSync(`${layer}/**/*.ts`, { cwd: ROOT }).filter(isSource)) {
      for (const { from } of importsOf(file)) {
        if (!from.startsWith('.')) continue;
        const target = resolve(file, from).split('/')[0] ?? '';
        assert.ok(allowed.includes(target), `${file} imports ${from}`);
      }
    }
  });
}

for (const [layer, rooms] of Object.entries(ROOMS)) {
  test(`in ${layer} a room imports only from rooms below it`, () => {
    const floorOf = (file: string) => rooms.findIndex((floor) => floor.some((room) => file.startsWith(`${room}/`)));
    const roomOf = (file: string) => rooms.flat().find((room) => file.startsWith(`${room}/`));
    for (const file of globSync(`${layer}/*/**/*.ts`, { cwd: ROOT }).filter(isSource)) {
      assert.notEqual(floorOf(file), -1, `${file} stands in no room that ROOMS lists`);
      for (const target of neighboursOf(file)) {
        const isAbove = floorOf(target) >= floorOf(file) && roomOf(target) !== roomOf(file);
        assert.ok(!isAbove, `${file} imports ${target}`);
      }
    }
  });
}

test('docs/architecture.md names every room', () => {
  const [, tree = ''] =
    /```\n(schemas\/[\s\S]*?)```/.exec(readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8')) ?? [];
  for (const room of globSync('{core,cli,operator}/*/', { cwd: ROOT }))
    assert.match(tree, new RegExp(`\\b${basename(room)}/`), `${room} is not in the tree of "The layers"`);
});

test('no files import each other in a circle', () => {
  const done = new Set<string>();
  function walk(file: string, path: readonly string[]): void {
    assert.ok(!path.includes(file), [...path, file].join(' → '));
    if (done.has(file)) return;
    for (const target of neighboursOf(file)) walk(target, [...path, file]);
    done.add(file);
  }
  for (const file of globSync('{core,cli,operator,schemas}/**/*.ts', { cwd: ROOT }).filter(isSource)) walk(file, []);
});

describe('a command loads nothing heavy before it runs', () => {
  /** Every file that importing `entry` evaluates. */
  function reach(entry: string, seen = new Map<string, string[]>(), path: string[] = []): Map<string, string[]> {
    if (seen.has(entry)) return seen;
    seen.set(entry, [...path, entry]);
    if (!entry.endsWith('.ts')) return seen;
    for (const { from, isStatic } of importsOf(entry)) {
      if (!isStatic) continue;
      if (from.startsWith('.')) reach(resolve(entry, from), seen, [...path, entry]);
      else if (!seen.has(from)) seen.set(from, [...path, entry, from]);
    }
    return seen;
  }

  for (const entry of ['cli/coffer.ts', 'cli/start.ts', 'cli/commands.ts']) {
    test(entry, () => {
      const reached = reach(entry);
      for (const [file, path] of reached) {
        assert.ok(!HEAVY.includes(file), path.join(' → '));
        assert.ok(
          !file.startsWith('core/') || LIGHT.includes(file),
          `${path.join(' → ')} is imported before it is needed`,
        );
      }
    });
  }
});

test('no file is longer than one concept', () => {
  for (const file of globSync('{core,cli,operator,schemas,examples,test}/**/*.ts', { cwd: ROOT })) {
    const lines = readFileSync(join(ROOT, file), 'utf8').split('\n').length;
    assert.ok(lines <= (isSource(file) ? 320 : 450), `${file} has ${lines} lines`);
  }
});
