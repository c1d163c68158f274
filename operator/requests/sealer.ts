import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { AuditLog } from '../../core/audit/log.ts';
import type { IntentRecord, OutcomeRecord } from '../../core/audit/record.ts';
import { CofferError } from '../../core/errors.ts';
import type { Manifest } from '../../core/format/manifest/manifest.ts';
import { type SealingKey, sealStanza } from '../../core/format/sealed/stanza.ts';
import { openDataKey } from '../../core/opening/open-manifest.ts';
import type { Opener } from '../../core/opening/opener.ts';
import type { Asked } from './asked.ts';

export interface SealerOptions {
  cluster: string;
  audit: Pick<AuditLog, 'append'>;
  asked: Asked;
  /** Id of the committed wish; absent: nobody need ask. */
  request?: string;
  /** To which it is sealed. */
  key: SealingKey;
  /** Ids of the data keys of a manifest that are to be sealed to it. */
  lacking: (manifest: Manifest) => readonly string[];
  opener: Opener;
  /** Stanzas that were made before, by data key id. */
  known: ReadonlyMap<string, string>;
}

/** Manifests whose records are written at once. */
const BATCH = 128;

/** Seals what manifests lack to one recipient, with a record of each on disk before its data keys are opened. */
export class Sealer {
  /** By data key id: those that the accepted state still lacks. */
  readonly stanzas = new Map<string, string>();
  /** Manifests that did not open: path → why. */
  readonly refused = new Map<string, string>();
  /** How many were not known before. */
  made = 0;
  readonly #options: SealerOptions;
  #waiting: Manifest[] = [];

  constructor(options: SealerOptions) {
    this.#options = options;
  }

  /** Whether stanzas of all these data keys were made before, so that nobody need read the manifest. */
  takeKnown(ids: readonly string[]): boolean {
    for (const id of ids) {
      const text = this.#options.known.get(id);
      if (text !== undefined) this.stanzas.set(id, text);
    }
    return ids.every((id) => this.stanzas.has(id));
  }

  async add(manifest: Manifest): Promise<void> {
    if (this.takeKnown(this.#options.lacking(manifest))) return;
    this.#waiting.push(manifest);
    if (this.#waiting.length === BATCH) await this.finish();
  }

  /** Seals what waits. Throws `AUDIT_UNWRITABLE`; then nothing of it was opened, or nothing of it is published. */
  async finish(): Promise<void> {
    const waiting = this.#waiting.map((manifest) => ({ manifest, intent: this.#intent(manifest) }));
    this.#waiting = [];
    if (waiting.length === 0) return;
    const { audit } = this.#options;
    await audit.append(waiting.map(({ intent }) => intent));
    const outcomes: OutcomeRecord[] = [];
    for (const { manifest, intent } of waiting) {
      outcomes.push(this.#seal(manifest, intent));
      // Ten values of a manifest may be ten milliseconds of cryptography, and pods wait for theirs.
      await setImmediate();
    }
    await audit.append(outcomes);
  }

  #intent(manifest: Manifest): IntentRecord {
    const { cluster, asked, request, key } = this.#options;
    const { namespace, name, file } = manifest;
    return {
      event: 'secret.intent',
      action: 'rewrap',
      operation: randomUUID(),
      cluster,
      namespace,
      name,
      recipient: key.recipient,
      dataKeyIds: this.#unmade(manifest).toSorted(),
      ...(request === undefined ? {} : { request }),
      source: asked.source.id,
      commit: asked.state.commit,
      path: file,
    };
  }

  /** Returns how it ended. */
  #seal(manifest: Manifest, intent: IntentRecord): OutcomeRecord {
    const outcome = { ...intent, event: 'secret.outcome' } as const;
    try {
      for (const id of this.#unmade(manifest)) {
        this.stanzas.set(id, this.#stanza(manifest, id));
        this.made += 1;
      }
      return { ...outcome, outcome: 'written' };
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      this.refused.set(manifest.file, error.message);
      return { ...outcome, outcome: 'refused', code: error.code, message: error.message };
    }
  }

  #stanza(manifest: Manifest, id: string): string {
    const key = openDataKey(manifest, this.#options.opener, id);
    try {
      return sealStanza({ id, key }, this.#options.key, manifest.binding);
    } finally {
      key.fill(0);
    }
  }

  #unmade(manifest: Manifest): string[] {
    return this.#options.lacking(manifest).filter((id) => !this.stanzas.has(id));
  }
}
