import { Gauge, type Registry } from 'prom-client';

/** How the audit log is doing. */
export interface AuditState {
  /** Whether what is to be done can be recorded. */
  isWritable: boolean;
  /** Whether a person lets the operator go on without. */
  isOverridden: boolean;
  /** Records that are in memory alone. */
  owed: number;
  /** Records in the log; those that the newest checkpoint covers. */
  size: number;
  signed: number;
}

/** Undefined: there is no log yet, as on a standby. */
export function auditGauges(registers: Registry[]): (state: AuditState | undefined) => void {
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  const writable = gauge(
    'coffer_audit_writable',
    '0 where records cannot be written: nothing new is opened or projected',
  );
  const overridden = gauge('coffer_audit_overridden', '1 while a person lets the operator go on without the log');
  const owed = gauge('coffer_audit_owed_records', 'Records that are in memory alone');
  const size = gauge('coffer_audit_records', 'Records in the log');
  const signed = gauge('coffer_audit_signed_records', 'Records that the newest checkpoint covers');
  return (state) => {
    writable.set(state === undefined || state.isWritable ? 1 : 0);
    overridden.set(state?.isOverridden === true ? 1 : 0);
    owed.set(state?.owed ?? 0);
    size.set(state?.size ?? 0);
    signed.set(state?.signed ?? 0);
  };
}
