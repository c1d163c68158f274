import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from '../../../test/support/properties.ts';
import { matches } from '../../format/manifest/reach.ts';
import { Grants, pathMatcher } from './grants.ts';
import { covers, ReachRules } from './reach-rules.ts';

const signer = (...names: string[]) => ({ names, key: 'SHA256:x', format: 'ssh' as const });

describe('a grant', () => {
  test('is for signers by their names, in which * stands for any part', () => {
    const table: [pattern: string, name: string, isMeant: boolean][] = [
      ['ada@example.org', 'ada@example.org', true],
      ['ada@example.org', 'Ada@example.org', false],
      ['ada@example.org', 'ada@example.org.evil', false],
      ['*@example.org', 'ada@example.org', true],
      ['*@example.org', '@example.org', true],
      ['*@example.org', 'ada@example.org.evil', false],
      ['*@example.org', 'ada@exampleXorg', false],
      ['ada*', 'ada', true],
      ['*a*a', 'aa', true],
      ['*aa*aa', 'aaa', false],
      ['a*a', 'a', false],
      ['*', 'anybody', true],
      // What a file of signers says with a pattern is that name, and no grant to all whom the pattern means.
      ['ada@example.org', '*@example.org', false],
      ['a.c', 'abc', false],
    ];
    for (const [pattern, name, isMeant] of table) {
      const grants = new Grants([{ signers: [pattern], may: ['values'] }]);
      assert.equal(grants.allow(signer('other', name), 'x', 'values'), isMeant, `${pattern} ${name}`);
    }
  });

  test('is for its paths and subjects only, and one grant has to have all three', () => {
    const grants = new Grants([
      { signers: ['ada'], paths: ['/a/**'], may: ['values'] },
      { signers: ['ada'], paths: ['/b/**'], may: ['readers'] },
    ]);
    assert.equal(grants.allow(signer('ada'), 'a/x.yaml', 'values'), true);
    assert.equal(grants.allow(signer('ada'), 'a/x.yaml', 'readers'), false);
    assert.equal(grants.allow(signer('ada'), 'b/x.yaml', 'values'), false);
    assert.equal(grants.allow(signer('bob'), 'a/x.yaml', 'values'), false);
    assert.deepEqual(grants.holders(['b/x.yaml', 'readers']), ['ada']);
    assert.deepEqual(grants.holders(['c', 'readers']), []);
  });

  test('names who has several rights, as the grants name them', () => {
    const grants = new Grants([
      { signers: ['*@security', 'ci'], paths: ['/.coffer/'], may: ['endorse'] },
      { signers: ['sam@security', 'ada@team', 'ci'], paths: ['/a/'], may: ['readers'] },
    ]);
    assert.deepEqual(grants.holders(['.coffer/x', 'endorse'], ['a/x', 'readers']), ['ci', 'sam@security']);
    assert.deepEqual(grants.holders(['a/x', 'endorse'], ['a/x', 'readers']), []);
    assert.deepEqual(new Grants(undefined).holders(['a', 'values']), ['*']);
  });

  test('has paths as in gitignore, in which case counts', () => {
    const table: [globs: string[], path: string, isMeant: boolean][] = [
      [['/team/'], 'team/x', true],
      [['/team/'], 'Team/x', false],
      [['/team/'], 'other/team/x', false],
      [['team/'], 'other/team/x', true],
      [['*.yaml'], 'a/b.yaml', true],
      [['/a/*', '!/a/b'], 'a/b', false],
      [['/a/**'], 'a', false],
      [['/a b/'], 'a b/c', true],
    ];
    for (const [globs, path, isMeant] of table) assert.equal(pathMatcher(globs)(path), isMeant, `${globs} ${path}`);
  });
});

describe('rules for namespaces', () => {
  test('are those of the first path that matches; where none does nothing is allowed', () => {
    const rules = new ReachRules([
      { path: '/a/special/**', namespaces: [] },
      { path: '/a/**', namespaces: ['a', 'a-*'] },
    ]);
    assert.deepEqual(
      ['a', 'a-1', 'b', 'a-*', '*'].map((namespace) => rules.allow('a/x.yaml', namespace)),
      [true, true, false, true, false],
    );
    assert.equal(rules.allow('a/special/x.yaml', 'a'), false);
    assert.equal(rules.allow('b/x.yaml', 'a'), false);
    assert.equal(new ReachRules(undefined).allow('b/x.yaml', 'a'), true);
  });

  test('cover a glob only where every name that it means is covered', () => {
    const glob = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), minLength: 1, maxLength: 5 });
    const name = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(glob, glob, name, (allowed, wanted, one) => {
        if (covers(allowed, wanted) && matches(wanted, one)) assert.ok(matches(allowed, one));
        assert.equal(covers(allowed, one), matches(allowed, one));
      }),
      { numRuns: 20_000 },
    );
  });
});
