import type { AuditLog } from '../../../../core/audit/log.ts';
import type { AuditRecord, AuditStep } from '../../../../core/audit/record.ts';
import type { CofferError } from '../../../../core/errors.ts';
import { textDigest } from '../../../../core/exposure/text-digest.ts';
import type { Log } from '../../../process/log.ts';
import type { Rotation } from '../remembered/rotation.ts';
import type { RotatingManifests } from '../rotating-manifests.ts';
import { ownEntries } from './rotation-values.ts';

export interface StepRecordsOptions {
  cluster: string;
  audit: Pick<AuditLog, 'append'>;
  log: Pick<Log, 'info'>;
}

/** Tells of each step of a rotation: in the audit log, before the step is remembered, and in the operator's. */
export class StepRecords {
  readonly #options: StepRecordsOptions;

  constructor(options: StepRecordsOptions) {
    this.#options = options;
  }

  async done(
    rotation: Rotation,
    step: AuditStep,
    site: RotatingManifests,
    more: Partial<AuditRecord<'rotation.step'>> = {},
  ): Promise<void> {
    const { audit, log } = this.#options;
    await audit.append([{ ...this.#record(rotation, step, site), outcome: 'done', ...more }]);
    const { namespace, name, entries } = rotation;
    const remains = more.message === undefined ? '' : `; what remains: ${more.message}`;
    log.info(`rotation of ${entries.join(', ')} in ${namespace}/${name}: ${step}${remains}`, {
      source: site.source.id,
    });
  }

  /** The operator logs it as a trouble, once. */
  async failed(rotation: Rotation, site: RotatingManifests, { code, message }: CofferError): Promise<void> {
    await this.#options.audit.append([
      { ...this.#record(rotation, rotation.step, site), outcome: 'failed', code, message },
    ]);
  }

  #record(rotation: Rotation, step: AuditStep, { source, state }: RotatingManifests): AuditRecord<'rotation.step'> {
    const { id, namespace, name, entries, rotator, values, file } = rotation;
    const [first] = ownEntries(rotation);
    const value = values.find(({ entry }) => entry === first);
    return {
      event: 'rotation.step',
      operation: id,
      step,
      cluster: this.#options.cluster,
      ...{ namespace, name, entries: [...entries], path: file.path, source: source.id },
      ...(rotator === undefined ? {} : { rotator }),
      ...(value?.former === undefined ? {} : { from: textDigest(value.former) }),
      ...(value?.text === undefined ? {} : { to: textDigest(value.text) }),
      ...(state === undefined ? {} : { commit: state.commit }),
    };
  }
}
