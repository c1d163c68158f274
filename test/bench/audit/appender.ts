/**
 * What the bench of the log measures, each in a process of its own that prints JSON: `flushes DIR SECONDS`, `writers DIR COUNT SECONDS`,
 * `records DIR COUNT`, `again FROM DIR`.
 */
import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditLogOptions } from '../../../core/audit/log.ts';
import { openAuditLog } from '../../../core/audit/open-log.ts';
import type { AuditLine, AuditRecord } from '../../../core/audit/record.ts';
import { readRecords } from '../../support/audit-lines.ts';
import { testSigner } from '../../support/log-signer.ts';

/** Fixed, so that who verifies knows it. */
const signer = testSigner(Buffer.alloc(32, 7));
const options: AuditLogOptions = { cluster: 'production', now: () => new Date(), signer };

const [what, ...args] = process.argv.slice(2);
const steps: Record<string, (...args: string[]) => Promise<Record<string, unknown>>> = {
  flushes,
  writers,
  records,
  again,
};
const step = steps[what ?? ''];
if (step === undefined) throw new Error('what is to be measured?');
process.stdout.write(JSON.stringify(await step(...args)));

/** As an operator writes it before it projects a secret: about 600 bytes. */
function record(number: number): AuditRecord {
  return {
    event: 'secret.intent',
    action: 'project',
    operation: `${number}-9f86d081884c7d65`,
    cluster: 'production',
    namespace: 'payments',
    name: `payments-db-${number}`,
    entries: ['username', 'password', 'url'],
    workloads: ['payments/payments-api'],
    keyIds: ['9f86d081884c7d659a2feaa0c55ad015'],
    dataKeyIds: ['Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4'],
    source: 'git',
    commit: '2c070976a8268415d0d9b2e4b1f7f3c1a6e8d950',
    author: { name: 'Ada Lovelace', email: 'ada@example.com' },
    committed: '2026-11-21T09:00:00Z',
    path: `apps/payments/payments-db-${number}.yaml`,
  };
}

/** What the disk gives: a write of that size, and its flush, one after another. */
async function flushes(directory: string, seconds: string): Promise<Record<string, unknown>> {
  const handle = await open(join(directory, 'flushed'), 'w');
  const bytes = Buffer.from(`${JSON.stringify(record(1))}\n`);
  let count = 0;
  const began = performance.now();
  for (; performance.now() - began < 1000 * Number(seconds); count++) {
    await handle.appendFile(bytes);
    await handle.datasync();
  }
  await handle.close();
  return { rate: (1000 * count) / (performance.now() - began) };
}

/** So many that each wait for their record before they write the next. */
async function writers(directory: string, count: string, seconds: string): Promise<Record<string, unknown>> {
  const log = await openAuditLog(directory, options);
  const began = performance.now();
  const before = process.cpuUsage();
  const write = async () => {
    while (performance.now() - began < 1000 * Number(seconds)) await log.append([record(log.size)]);
  };
  await Promise.all(Array.from({ length: Number(count) }, write));
  const wall = performance.now() - began;
  const { user, system } = process.cpuUsage(before);
  const { size } = log;
  await log.close();
  return { rate: (1000 * size) / wall, cpu: (user + system) / 1000 / size };
}

async function records(directory: string, count: string): Promise<Record<string, unknown>> {
  const log = await openAuditLog(directory, options);
  while (log.size < Number(count)) {
    const some = Math.min(500, Number(count) - log.size);
    await log.append(Array.from({ length: some }, (_, at) => record(log.size + at)));
  }
  await log.close();
  return { origin: log.origin, publicKey: signer.publicKey.toString('hex'), checkpoint: log.checkpoint };
}

/** The records of a log once more, in the groups in which they were written, and as lines of the output; nothing else beside. */
async function again(from: string, directory: string): Promise<Record<string, unknown>> {
  const groups: AuditRecord[][] = [];
  let last = '';
  for await (const { sequence: _, time, ...line } of readRecords(from)) {
    if (time !== last) groups.push([]);
    last = time;
    groups.at(-1)?.push(line);
  }
  const output = createWriteStream('/dev/null');
  const written = (lines: readonly AuditLine[]) => {
    for (const audit of lines) output.write(`${JSON.stringify({ level: 'info', msg: 'audit', audit })}\n`);
  };
  const log = await openAuditLog(directory, { ...options, written });
  const began = performance.now();
  const before = process.cpuUsage();
  for (const group of groups) await log.append(group);
  await log.close();
  const { user, system } = process.cpuUsage(before);
  return {
    records: log.size,
    groups: groups.length,
    cost: { wall: performance.now() - began, cpu: (user + system) / 1000 },
  };
}
