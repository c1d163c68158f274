import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AuditLine } from '../../core/audit/record.ts';
import { selects, type Wanted } from './select-records.ts';

const KID = '9f86d081884c7d659a2feaa0c55ad015';
const at = (day: number) => `2026-11-0${day}T09:00:00.000Z`;

const LINES: AuditLine[] = [
  { sequence: 1, time: at(1), event: 'operator.started' },
  {
    ...{ sequence: 2, time: at(2), event: 'secret.intent', namespace: 'payments', name: 'db' },
    ...{ entries: ['password'], keyIds: [KID], dataKeyIds: ['Zm9v'], workloads: ['payments/api'], operation: 'one' },
  },
  {
    ...{ sequence: 3, time: at(3), event: 'secret.outcome', namespace: 'payments', name: 'db', outcome: 'written' },
    operation: 'one',
  },
  {
    ...{ sequence: 4, time: at(4), event: 'commit.accepted', author: { name: 'Eve', email: 'eve@example.com' } },
    signer: { names: ['mallory'], key: 'SHA256:abc' },
  },
  { sequence: 5, time: at(5), event: 'key.changed', recipient: 'production', keyIds: [KID] },
  {
    ...{ sequence: 6, time: at(6), event: 'secret.intent', namespace: 'other', name: 'db', action: 'mount' },
    actor: { kind: 'pod', user: 'system:serviceaccount:payments:api', namespace: 'payments', serviceAccount: 'api' },
  },
];

const WANTED: [Wanted, number[]][] = [
  [{}, [1, 2, 3, 4, 5, 6]],
  [{ secret: 'payments/db' }, [2, 3]],
  [{ secret: 'db' }, [2, 3, 6]],
  [{ secret: 'payments/other' }, []],
  [{ secret: 'db', entry: 'password' }, [2, 3]],
  [{ workload: 'payments/api' }, [2, 3, 6]],
  [{ actor: 'eve@' }, [4]],
  [{ actor: 'mallory' }, [4]],
  [{ actor: 'SHA256:abc' }, [4]],
  [{ actor: 'serviceaccount:payments' }, [6]],
  [{ key: KID.slice(0, 8) }, [2, 3, 5]],
  [{ key: 'Zm9v' }, [2, 3]],
  [{ key: 'Zm9v', event: ['secret.outcome'], until: '2026-11-03' }, []],
  [{ event: ['key', 'operator.started'] }, [1, 5]],
  [{ event: ['secret'] }, [2, 3, 6]],
  [{ event: ['sec'] }, []],
  [{ since: '2026-11-03', until: '2026-11-05' }, [3, 4]],
  [{ since: '2026-11-03T10:00+01:00', until: '2026-11-04T09:00Z' }, [3]],
];

describe('what coffer audit show selects', () => {
  for (const [wanted, numbers] of WANTED) {
    test(JSON.stringify(wanted), () => {
      assert.deepEqual(
        LINES.filter(selects(wanted)).map(({ sequence }) => sequence),
        numbers,
      );
    });
  }
});
