import { hostname } from 'node:os';
import type { AuditLogOptions } from '../../core/audit/log.ts';
import type { AuditActor, AuditRecord } from '../../core/audit/record.ts';
import { type CofferError, nothingFor } from '../../core/errors.ts';
import type { Background } from '../concurrency/background.ts';
import type { OperatorSettings } from '../config/settings.ts';
import type { KeyStore } from '../keys/key-store.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import { persist } from '../kubernetes/persist.ts';
import type { Closing } from '../process/closing.ts';
import type { RecordingLog } from '../process/log.ts';
import type { Source } from '../source/source.ts';
import { Configuration, type ConfigurationFiles } from './configuration.ts';
import { LogDirectory } from './log-directory.ts';
import { OperatorLog } from './operator-log.ts';
import { overrideAt } from './override.ts';
import { IdentitySigner } from './signer.ts';
import { Witness } from './witness.ts';
import { WitnessFile, WitnessMap } from './witness-stores.ts';

export interface RecordOptions {
  settings: OperatorSettings;
  /** The file of the settings. */
  configFile: string;
  version: string;
  keys: KeyStore;
  sources: readonly Source[];
  /** Absent on a plain host. */
  client: KubeClient | undefined;
  background: Background;
  log: RecordingLog;
}

/** The operator's record, and what goes with it. */
export interface OperatorRecord {
  log: OperatorLog;
  configuration: Configuration;
  /** What stands in the way of it. */
  troubles(): CofferError[];
}

const now = () => new Date();

/**
 * Opens the log, tells it of the logs before it and of this start, and has it signed and witnessed from then on. That its disk is full
 * or read-only is no reason not to start. Throws CofferError `AUDIT_…`, `DIRECTORY_IN_USE`, and the reason of the signal.
 */
export async function openRecord(options: RecordOptions, closing: Closing): Promise<OperatorRecord> {
  const { settings, client, background, log: output, version } = options;
  const { cluster, stateDirectory } = settings;
  const signer = new IdentitySigner(options.keys);
  const store = client === undefined ? new WitnessFile(stateDirectory) : new WitnessMap(client);
  const witness = new Witness({ store, identity: () => identityIfThere(signer), now });
  await persist(
    () => witness.read(),
    background.signal,
    (failure) => {
      witness.trouble = failure;
    },
  );
  const directory = directoryOf(settings, { signer, witness, output });
  const log = new OperatorLog({
    open: () => directory.open(),
    opened: async ({ origin, size }) => {
      witness.opened(origin);
      const began: AuditRecord[] = size === 0 ? [{ event: 'log.began', cluster, origin }] : [];
      return [...began, ...(await witness.records())];
    },
    override: () => overrideAt(stateDirectory, now()),
    now,
    kept: (record) => output.audit({ time: now().toISOString(), cluster, ...record }),
  });
  closing.add(directory, (held) => held.release());
  closing.add(witness, (opened) => opened.publish());
  closing.add(log, (opened) => opened.close());
  const actor = ownName();
  await log.start([{ event: 'operator.started', cluster, actor, version }]);
  closing.add(log, (opened) => opened.owe([{ event: 'operator.stopped', cluster, actor }]));
  const configuration = new Configuration(filesOf(options), settings);
  await configuration.look((records) => log.owe(records), 'first');
  background.run((ends) => log.run(ends));
  background.run((ends) => witness.run((records) => log.owe(records), ends));
  const troubles = () => [...log.problems(), ...(witness.trouble === undefined ? [] : [witness.trouble])];
  return { log, configuration, troubles };
}

interface DirectoryParts {
  signer: IdentitySigner;
  witness: Witness;
  output: RecordingLog;
}

function ownName(): AuditActor {
  const pod = process.env.POD_NAME;
  return { kind: 'operator', ...(pod === undefined ? { host: hostname() } : { pod }) };
}

/** Its place may answer later; why it does not, whoever needs the keys says. */
function identityIfThere(signer: IdentitySigner): Promise<Buffer | undefined> {
  return signer.publicKey().catch(nothingFor());
}

function directoryOf(
  { audit: { directory, stdout, keep }, cluster }: OperatorSettings,
  { signer, witness, output }: DirectoryParts,
): LogDirectory {
  const options: AuditLogOptions = {
    ...{ cluster, now, signer },
    ...(keep === undefined ? {} : { keep }),
    written: (lines) => {
      if (stdout) for (const line of lines) output.audit(line);
    },
    checkpointed: (text) => witness.checkpointed(text),
  };
  return new LogDirectory(directory, options, (origin) => witness.claimsOf(origin));
}

function filesOf({ settings, configFile, sources }: RecordOptions): ConfigurationFiles {
  const policies = settings.sources.flatMap(({ git: { trust } }, at): [string, string][] => {
    const source = sources[at]?.id;
    return trust?.policy === undefined || source === undefined ? [] : [[source, trust.policy]];
  });
  return { settings: configFile, pins: settings.pinsFile, policies: new Map(policies) };
}
