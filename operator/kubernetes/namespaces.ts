import { Bug } from '../../core/errors.ts';
import type { KubeClient } from './client.ts';

/** Which namespaces there are, of those that are configured. */
export interface Namespaces {
  /** Existing ones, terminating ones too. */
  names(): ReadonlySet<string>;
  isTerminating(name: string): boolean;
  /** Whether the configuration allows it, be it there or not. */
  isConfigured(name: string): boolean;
  onChange(listener: () => void): void;
  /** Until the signal. */
  run(signal: AbortSignal): Promise<void>;
  readonly synced: Promise<void>;
}

/** `patterns`: names and globs. */
export function openNamespaces(_client: KubeClient, _patterns: readonly string[]): Namespaces {
  throw new Bug('not written yet');
}
