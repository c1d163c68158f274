import { Gauge, type Registry } from 'prom-client';
import type { OwnKeyStatus } from '../status/status.ts';

/** How old this cluster's key is, when it is due, and what is still sealed to each. By `Date.now()`. */
export function keyGauges(registers: Registry[]): (keys: readonly OwnKeyStatus[]) => void {
  const age = new Gauge({
    name: 'coffer_key_age_seconds',
    help: 'Since the active key of this cluster was made',
    labelNames: ['key'],
    registers,
  });
  const due = new Gauge({
    name: 'coffer_key_due_seconds',
    help: 'Until the active key is to be followed by another; below 0: since then. Only where the keyring sets a time',
    labelNames: ['key'],
    registers,
  });
  const stanzas = new Gauge({
    name: 'coffer_stanzas',
    help: 'Stanzas that are sealed to each key of this cluster, by its status; counted once there is a second key',
    labelNames: ['key', 'status'],
    registers,
  });
  return (keys) => {
    for (const gauge of [age, due, stanzas]) gauge.reset();
    for (const { id: key, status, created, due: at, stanzas: count } of keys) {
      if (status === 'active') age.set({ key }, (Date.now() - Date.parse(created)) / 1000);
      if (at !== undefined) due.set({ key }, (Date.parse(at) - Date.now()) / 1000);
      if (count !== undefined) stanzas.set({ key, status }, count);
    }
  };
}
