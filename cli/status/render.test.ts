import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderStatus } from './render.ts';

test('what is wrong and the way out stand on lines of their own', () => {
  const problems = [{ code: 'SOURCE_STALE', message: 'no look has succeeded', advice: 'Look.', data: {} }];
  const report = { place: 'edge', cluster: 'edge', key: null, isDone: false, hasFailed: true, isStuck: true };
  assert.deepEqual(renderStatus([{ ...report, namespaces: [], secrets: [], problems }], 'c1').slice(-2), [
    '  SOURCE_STALE no look has succeeded',
    '    Look.',
  ]);
});

test('what clusters, operators and file names say steers no terminal', () => {
  const bad = 'x\u001b]0;owned\u0007\u009b2Jy';
  const secret = { namespace: bad, name: bad, path: bad, reason: bad, message: bad, namespaces: [] };
  const report = {
    ...{ place: bad, cluster: bad, key: null, isDone: false, hasFailed: true, isStuck: true },
    namespaces: [{ namespace: bad, current: 0, secrets: 1 }],
    secrets: [{ ...secret, state: 'failed' as const }],
    problems: [{ code: bad, message: bad, advice: bad, data: { file: bad } }],
  };
  const text = renderStatus([report], 'c1').join('\n');
  assert.match(text, /x\ufffd\]0;owned\ufffd\ufffd2Jy/);
  for (const control of ['\u001b', '\u0007', '\u009b']) assert.ok(!text.includes(control));
});
