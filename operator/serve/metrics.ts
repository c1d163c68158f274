import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { SecretStatus, Status } from '../status/status.ts';
import { type AuditState, auditGauges } from './audit-gauges.ts';
import { exposureGauges } from './exposure-gauges.ts';
import { keyGauges } from './key-gauges.ts';
import { rotationGauges } from './rotation-gauges.ts';
import { trustGauges } from './trust-gauges.ts';

const STATES: readonly SecretStatus['state'][] = ['pending', 'ready', 'failed', 'held', 'retained'];

/** What Prometheus reads. Labels are sources and states, never names of secrets: their number must not grow with use. */
export interface Metrics {
  /** A look at a source, with the work that it led to, ended. */
  polled(source: string, result: 'succeeded' | 'failed'): void;
  /** A commit's work was done in so many seconds, without the fetch. */
  projected(source: string, seconds: number): void;
  /** A request to the Kubernetes API ended; `status` is undefined where there was no answer. */
  answered(verb: string, resource: string, status: number | undefined): void;
  /** A forge, or somebody in its place, asked for a look. */
  hooked(result: 'woke' | 'refused' | 'limited'): void;
  /** A node plugin asked for the files of a pod. */
  mounted(outcome: 'opened' | 'unchanged' | 'denied' | 'failed'): void;
  /** Asked at every scrape: whether this process leads. */
  leads(isHeld: () => boolean): void;
  /** Likewise: how many pods refer to Secrets that they may not read. */
  offends(count: () => number): void;
  render(): Promise<{ type: string; text: string }>;
}

/** Both are asked once at every scrape. */
export function createMetrics(
  version: string,
  { status, audit }: { status: () => Status; audit: () => AuditState | undefined },
): Metrics {
  const registry = new Registry();
  const registers = [registry];
  // The default wakes the process a hundred times a second.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 500 });
  const info = new Gauge({
    name: 'coffer_build_info',
    help: 'The running version',
    labelNames: ['version'],
    registers,
  });
  info.set({ version }, 1);
  const polls = new Counter({
    name: 'coffer_polls_total',
    help: 'Looks at a source, with the work that they led to',
    labelNames: ['source', 'result'],
    registers,
  });
  const lastSuccess = new Gauge({
    name: 'coffer_last_successful_poll_timestamp_seconds',
    help: 'When a source was last looked at with success',
    labelNames: ['source'],
    registers,
  });
  const duration = new Histogram({
    name: 'coffer_commit_duration_seconds',
    help: 'From the acceptance of a commit until all that it changes is projected',
    labelNames: ['source'],
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300],
    registers,
  });
  const requests = new Counter({
    name: 'coffer_kubernetes_requests_total',
    help: 'Requests to the Kubernetes API; code 0: no answer',
    labelNames: ['verb', 'resource', 'code'],
    registers,
  });
  const watches = new Counter({
    name: 'coffer_kubernetes_watch_restarts_total',
    help: 'Watches that ended, each of which is opened again; the API server ends them every few minutes',
    labelNames: ['resource'],
    registers,
  });
  const hooks = new Counter({
    name: 'coffer_webhook_requests_total',
    help: 'Requests to the webhooks: woke a source, were refused, or came too often to be looked at (limited)',
    labelNames: ['result'],
    registers,
  });
  const mounts = new Counter({
    name: 'coffer_mounts_total',
    help: 'Requests of node plugins for the files of a pod: opened, unchanged since, denied, or failed and asked again',
    labelNames: ['outcome'],
    registers,
  });
  const offenders = new Gauge({
    name: 'coffer_offenders',
    help: 'Pods that refer to Secrets which they may not read: admitted before the policy knew',
    registers,
  });
  const leader = new Gauge({
    name: 'coffer_leader',
    help: '1 where this process leads and may write, 0 on a standby',
    registers,
  });
  let isHeld = () => false;
  let offending = () => 0;
  const showStatus = statusGauges(registers);
  const showAudit = auditGauges(registers);
  return {
    polled(source, result) {
      polls.inc({ source, result });
      if (result === 'succeeded') lastSuccess.set({ source }, Date.now() / 1000);
    },
    projected: (source, seconds) => duration.observe({ source }, seconds),
    answered(verb, resource, code) {
      requests.inc({ verb, resource, code: String(code ?? 0) });
      if (verb === 'watch') watches.inc({ resource });
    },
    hooked: (result) => hooks.inc({ result }),
    mounted: (outcome) => mounts.inc({ outcome }),
    leads(held) {
      isHeld = held;
    },
    offends(count) {
      offending = count;
    },
    async render() {
      leader.set(isHeld() ? 1 : 0);
      offenders.set(offending());
      showStatus(status());
      showAudit(audit());
      return { type: registry.contentType, text: await registry.metrics() };
    },
  };
}

function statusGauges(registers: Registry[]): (status: Status) => void {
  const secrets = new Gauge({
    name: 'coffer_secrets',
    help: 'Secrets of this cluster, by state',
    labelNames: ['state'],
    registers,
  });
  const problems = new Gauge({
    name: 'coffer_source_problems',
    help: 'Files that could not be read, refused claims, and a failed poll, by source',
    labelNames: ['source'],
    registers,
  });
  const held = new Gauge({
    name: 'coffer_held_removals',
    help: 'Secrets whose removal waits for a person, by source',
    labelNames: ['source'],
    registers,
  });
  const trust = trustGauges(registers);
  const keys = keyGauges(registers);
  const exposure = exposureGauges(registers);
  const rotations = rotationGauges(registers);
  return (status) => {
    const states = Map.groupBy(status.secrets, ({ state }) => state);
    for (const state of STATES) secrets.set({ state }, states.get(state)?.length ?? 0);
    for (const { id, problems: found, trouble, held: removals } of status.sources) {
      problems.set({ source: id }, found.length + (trouble === undefined ? 0 : 1));
      held.set({ source: id }, removals.flatMap((removal) => removal.secrets).length);
    }
    trust(status.sources);
    keys(status.keys ?? []);
    exposure(status.exposure ?? []);
    if (status.rotations !== undefined) rotations(status.rotations);
  };
}
