import { randomBytes } from 'node:crypto';
import { Bug } from '../errors.ts';
import type { AuditLogOptions, SignedLog } from './log.ts';
import { ORIGIN } from './note/checkpoint.ts';
import { makeLogFolder, placeFiles } from './writer/atomic-files.ts';
import { Checkpointer } from './writer/checkpointer.ts';
import { damaged, unwritable } from './writer/errors.ts';
import { Journal } from './writer/journal.ts';
import { JournalMark } from './writer/journal-mark.ts';
import { LogWriter } from './writer/log-writer.ts';
import { ORIGIN_FILE, readOrigin, recover } from './writer/recover.ts';
import { Reserve } from './writer/reserve.ts';

/** Absent from the options: bytes. */
const RESERVE = 1024 * 1024;

/**
 * Opens the log of a directory, or begins one there: a transparency log in the layout of C2SP tlog-tiles, with a journal beside it
 * (docs/audit.md). Whoever calls holds the directory's lock. What a killed run left half written was never acknowledged: it is cut
 * off, and a record `log.recovered` says so; so it does of records that nobody vouches for.
 *
 * Throws CofferError `AUDIT_UNWRITABLE`, `AUDIT_FULL` where there is no room to begin one; and, where it is not as it was written,
 * `AUDIT_DAMAGED`, `AUDIT_ROLLED_BACK`, `AUDIT_KEY_REPLACED`, `AUDIT_CHECKPOINT_INVALID`, `AUDIT_TILE_MISSING`.
 */
export async function openAuditLog(directory: string, options: AuditLogOptions): Promise<SignedLog> {
  try {
    await makeLogFolder(directory);
    const origin = (await readOrigin(directory)) ?? (await begin(directory, options.cluster));
    mustBeOf(directory, origin, options.cluster);
    const mark = new JournalMark(origin, options.signer);
    const { found, departed, ...recovered } = await recover(directory, origin, options.known ?? [], mark);
    const checkpointer = new Checkpointer(directory, origin, options.signer, { found, departed });
    const reserve = new Reserve(directory, options.reserve ?? RESERVE);
    const log = new LogWriter({ origin, directory, checkpointer, reserve, mark, ...recovered }, options);
    await log.begin().catch(async (error) => {
      await recovered.journal.close();
      throw error;
    });
    return log;
  } catch (error) {
    throw unwritable(error, directory);
  }
}

/** A new log, whose name no other has. The journal first: where the name is, there is a journal, or it was taken away. */
async function begin(directory: string, cluster: string): Promise<string> {
  const origin = `coffer.dev/audit/${cluster}/${randomBytes(8).toString('hex')}`;
  if (!ORIGIN.test(origin)) throw new Bug('a cluster has a name that no cluster can have');
  await Journal.make(directory);
  await placeFiles(directory, new Map([[ORIGIN_FILE, Buffer.from(`${origin}\n`)]]));
  return origin;
}

function mustBeOf(directory: string, origin: string, cluster: string): void {
  const [, owner] = ORIGIN.exec(origin) ?? [];
  if (owner === undefined) throw damaged(directory, 'the file `origin` holds no name of a log');
  if (owner !== cluster) throw damaged(directory, `it is the log of the cluster ${owner}, not of ${cluster}`);
}
