import { Bug } from '../../core/errors.ts';
import type { KubeClient } from './client.ts';

export interface EventSubject {
  apiVersion: string;
  kind: string;
  namespace: string;
  name: string;
  uid?: string;
}

export interface EventToEmit {
  regarding: EventSubject;
  type: 'Normal' | 'Warning';
  /** CamelCase, for programs. */
  reason: string;
  /** What was done or tried, CamelCase. */
  action: string;
  /** For people; never a value. At most 1,024 bytes are kept. */
  note: string;
}

/** Events for people who run `kubectl describe` or `kubectl events`: best effort, limited in rate, the same one once. */
export class EventRecorder {
  constructor(_client: KubeClient) {
    throw new Bug('not written yet');
  }

  emit(_event: EventToEmit): void {}

  /** Sends what waits, for a short time. */
  async close(): Promise<void> {}
}
