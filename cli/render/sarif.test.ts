import assert from 'node:assert/strict';
import { test } from 'node:test';
import { finding, findingOf } from '../../core/check/finding.ts';
import { RULES } from '../../core/check/rule-list.ts';
import { CofferError } from '../../core/errors.ts';
import { sarifOf } from './sarif.ts';

const found = [
  finding('CHECK_PLAINTEXT', { file: 'apps/a b.yaml', line: 3, entry: 'p' }, { message: 'plain', advice: 'Seal it.' }),
  finding('CHECK_SYMLINK', { file: 'apps/ü.yaml' }, { message: 'a link', advice: 'Copy it.' }),
  findingOf(
    new CofferError('DOCUMENT_FIELD', 'bad field', { advice: 'Mend it.', data: { line: 4, column: 2 } }),
    'c.yaml',
  ),
];

// https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html, by section.
test('the log has what SARIF 2.1.0 requires', () => {
  const log = JSON.parse(JSON.stringify(sarifOf(found, '/repo')));
  assert.equal(log.version, '2.1.0'); // 3.13.2
  assert.match(log.$schema, /sarif-2\.1\.0\.json$/); // 3.13.3
  assert.equal(log.runs.length, 1); // 3.13.4
  const [run] = log.runs;
  assert.equal(run.columnKind, 'utf16CodeUnits'); // 3.14.17
  assert.equal(run.tool.driver.name, 'coffer'); // 3.19.8
  assert.match(run.originalUriBaseIds.ROOT.uri, /^file:\/\/.*\/$/); // 3.14.14: ends with a slash

  const ids = run.tool.driver.rules.map((rule: { id: string }) => rule.id);
  assert.equal(new Set(ids).size, ids.length); // 3.49.3: unique
  assert.deepEqual(ids.slice(0, Object.keys(RULES).length), Object.keys(RULES));
  for (const rule of run.tool.driver.rules) {
    assert.ok(rule.shortDescription.text.length > 0); // 3.49.9
    assert.match(rule.defaultConfiguration.level, /^(error|warning)$/); // 3.50.3
  }

  assert.equal(run.results.length, found.length);
  for (const result of run.results) {
    assert.equal(ids[result.ruleIndex], result.ruleId); // 3.27.6
    assert.match(result.level, /^(none|note|warning|error)$/); // 3.27.10
    assert.ok(result.message.text.length > 0); // 3.27.11
    assert.equal(result.locations.length, 1); // 3.27.12
    const { artifactLocation, region } = result.locations[0].physicalLocation; // 3.29
    assert.equal(artifactLocation.uriBaseId, 'ROOT'); // 3.4.4
    assert.ok(!artifactLocation.uri.startsWith('/')); // 3.4.3: relative with a uriBaseId
    assert.equal(new URL(artifactLocation.uri, 'file:///repo/').pathname, `/repo/${artifactLocation.uri}`); // a valid URI
    if (region !== undefined) assert.ok(region.startLine >= 1 && (region.startColumn ?? 1) >= 1); // 3.30
  }
});

test('a finding keeps its fingerprint when its line moves', () => {
  const [before] = sarifOf(found, '/repo').runs[0]?.results ?? [];
  const moved = found.map((one) => ({ ...one, data: { ...one.data, line: 99 } }));
  const [after] = sarifOf(moved, '/repo').runs[0]?.results ?? [];
  assert.deepEqual(before?.partialFingerprints, after?.partialFingerprints);
});
