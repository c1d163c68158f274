import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readWrites, total, writesBetween } from './api-writes.ts';

function line(verb: string, resource: string, subresource: string, code: number, count: number): string {
  const labels = `code="${code}",component="apiserver",dry_run="",group="",resource="${resource}",scope="resource"`;
  return `apiserver_request_total{${labels},subresource="${subresource}",verb="${verb}",version="v1"} ${count}\n`;
}

describe("an API server's own count of writes", () => {
  const before = readWrites(line('APPLY', 'secrets', '', 201, 5));
  const after = readWrites(
    [
      '# TYPE apiserver_request_total counter\n',
      line('APPLY', 'secrets', '', 201, 7),
      line('APPLY', 'secrets', '', 200, 2),
      line('APPLY', 'encryptedsecrets', 'status', 200, 3),
      line('GET', 'secrets', '', 200, 100),
      line('APPLY', 'secrets', '', 409, 4),
      line('PUT', 'leases', '', 200, 9),
    ].join(''),
  );

  test('tells kinds and subresources apart, whatever the status of success', () => {
    assert.deepEqual(Object.fromEntries(after), { 'APPLY secrets': 9, 'APPLY encryptedsecrets/status': 3 });
  });

  test('is compared between two moments', () => {
    const writes = writesBetween(before, after);
    assert.deepEqual(Object.fromEntries(writes), { 'APPLY secrets': 4, 'APPLY encryptedsecrets/status': 3 });
    assert.equal(total(writes), 7);
    assert.equal(total(writesBetween(after, after)), 0);
  });
});
