/** What the record costs: appending with durability, beside a cold start, and verifying a million. */

import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sodiumReady } from '../../../core/crypto/sodium.ts';
import { identityText } from '../../../core/keys/key-texts.ts';
import { verifierKey } from '../../audit/written-log.ts';
import { findPart } from '../../parts/parts.ts';
import { Host } from '../host.ts';
import { type Cost, runOnce } from '../measure.ts';
import { type Cell, costCells, duration, ratio, type Section, type Target, table } from '../page.ts';
import type { Workplace } from '../workplace.ts';

const APPENDER = join(import.meta.dirname, 'appender.ts');
const VERIFIER = join(import.meta.dirname, '..', '..', 'audit', 'verifier');
const SECONDS = 4;
const WRITERS = [1, 16, 256];
const PROJECTIONS = 10_000;
const SHARE = 0.1;
const RECORDS = 1_000_000;
/** Of CPU for each of them. */
const VERIFY_LIMIT = 30_000;

interface Part {
  body: string[];
  targets: Target[];
}

export async function measureAudit(workplace: Workplace): Promise<Section> {
  await sodiumReady();
  const parts = [measureAppends(workplace), await measureColdStart(workplace), await measureVerify(workplace)];
  return {
    title: 'The log',
    body: parts.flatMap(({ body }) => body),
    targets: parts.flatMap(({ targets }) => targets),
  };
}

/** Runs the appender in a folder of its own, and returns what it prints. */
function appender<Result>(workplace: Workplace, what: string, ...args: string[]): Result & { cost: Cost } {
  const output = join(workplace.folder, 'appender');
  const cost = runOnce(workplace.program(process.execPath, [APPENDER, what, ...args], { output }));
  return { cost, ...JSON.parse(readFileSync(output, 'utf8')) };
}

function measureAppends(workplace: Workplace): Part {
  const folder = mkdtempSync(join(workplace.folder, 'appends-'));
  const raw = appender<{ rate: number }>(workplace, 'flushes', folder, String(SECONDS)).rate;
  const measured = WRITERS.map((writers) => {
    const directory = join(folder, String(writers));
    return {
      writers,
      ...appender<{ rate: number; cpu: number }>(workplace, 'writers', directory, String(writers), String(SECONDS)),
    };
  });
  const rows = measured.map(({ writers, rate, cpu }): Cell[] => [
    `log, ${writers} at a time`,
    perSecond(rate),
    ratio(rate, raw),
    duration(cpu),
  ]);
  const most = measured.at(-1)?.rate ?? 0;
  return {
    body: [
      '### Appends',
      `Each record, about 600 bytes, is on disk (fdatasync) when its append returns; tiles, signed checkpoints and their flushes happen
beside it, on the same disk. What is appended while a flush is under way goes together with the next. Raw: a write of one record and
its flush, one after another, and nothing else. ${SECONDS} s each.`,
      table(
        ['', 'records a second', 'against raw', 'CPU a record'],
        [['raw flushes', perSecond(raw), '1.00×', ''], ...rows],
      ),
    ],
    targets: [
      {
        what: `records appended with durability, ${WRITERS.at(-1)} at a time: more than raw flushes of single records`,
        measured: `${perSecond(most)} a second to ${perSecond(raw)}, ${ratio(most, raw)}`,
        met: most > raw,
      },
    ],
  };
}

async function measureColdStart(workplace: Workplace): Promise<Part> {
  const host = await Host.open(workplace, { size: PROJECTIONS });
  try {
    const { operator, start } = await host.start(({ msg }) => msg === 'projected a commit');
    await operator.end();
    const directory = join(mkdtempSync(join(workplace.folder, 'again-')), 'log');
    const again = appender<{ records: number; groups: number }>(workplace, 'again', host.audit, directory);
    const share = (kind: keyof Cost) => ratio(again.cost[kind], start.cost[kind]);
    return {
      body: [
        `### A cold start of ${PROJECTIONS.toLocaleString('en')} projections`,
        `The operator, from the start of its process until every file is there; and its ${again.records.toLocaleString('en')} records, appended again in the
${again.groups.toLocaleString('en')} groups in which they were, and written as lines of the output, by a process that does nothing else. In the operator their flushes pass while it works, so that of the
wall clock this is the most that it can be.`,
        table(
          ['', 'CPU', 'wall'],
          [
            ['cold start, with its record', ...costCells(start.cost)],
            ['its record alone', ...costCells(again.cost)],
            ['share', share('cpu'), share('wall')],
          ],
        ),
      ],
      targets: (['cpu', 'wall'] as const).map((kind) => ({
        what: `the record of a cold start of ${PROJECTIONS.toLocaleString('en')} projections: at most ${100 * SHARE} % of its ${kind === 'cpu' ? 'CPU' : 'time'}`,
        measured: `${duration(again.cost[kind])} of ${duration(start.cost[kind])}, ${share(kind)}`,
        met: again.cost[kind] <= SHARE * start.cost[kind],
      })),
    };
  } finally {
    await host.close();
  }
}

async function measureVerify(workplace: Workplace): Promise<Part> {
  const directory = join(mkdtempSync(join(workplace.folder, 'million-')), 'log');
  const { origin, publicKey } = appender<{ origin: string; publicKey: string }>(
    workplace,
    'records',
    directory,
    String(RECORDS),
  );
  const key = Buffer.from(publicKey, 'hex');
  const ours = runOnce(workplace.coffer(['audit', 'verify', '--log', directory, '--identity', identityText(key)]));
  const theirs = await goCost(workplace, [verifierKey(origin, key), directory]);
  const rows: [string, Cost | undefined][] = [
    ['`coffer audit verify`', ours],
    ["the verifier of the tests, on Go's `sumdb/note` and `sumdb/tlog`", theirs],
  ];
  return {
    body: [
      `### ${RECORDS.toLocaleString('en')} records`,
      'Every record read and hashed, every stored hash compared, the checkpoint and those that the log keeps verified.',
      table(
        ['verified by', 'CPU', 'wall', 'CPU a record'],
        rows.map(([name, cost]) => [name, ...costCells(cost), duration((cost?.cpu ?? Number.NaN) / RECORDS)]),
      ),
    ],
    targets: [
      {
        what: `${RECORDS.toLocaleString('en')} records verified in at most ${VERIFY_LIMIT / 1000} s of CPU`,
        measured: duration(ours.cpu),
        met: ours.cpu <= VERIFY_LIMIT,
      },
    ],
  };
}

/** Undefined where there is no go. */
async function goCost(workplace: Workplace, args: string[]): Promise<Cost | undefined> {
  const go = await findPart('go');
  if (go === undefined) return undefined;
  const folder = join(workplace.folder, 'verifier');
  mkdirSync(folder, { recursive: true });
  const program = join(folder, 'verifier');
  runOnce({ program: go, args: ['build', '-o', program, '.'], cwd: VERIFIER });
  return runOnce(workplace.program(program, args));
}

function perSecond(rate: number): string {
  return Math.round(rate).toLocaleString('en');
}
