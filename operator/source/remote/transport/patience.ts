import { sourceFault } from '../faults.ts';

export interface Patience {
  /** Of the source, for errors. */
  address: string;
  /** Milliseconds in which something must come. */
  idle: number;
  signal: AbortSignal;
}

/** What work gives, if it does so in time. Throws `SOURCE_SILENT`, or what aborted the signal; the work is left to itself then. */
export async function within<T>(work: Promise<T>, { address, idle, signal }: Patience): Promise<T> {
  const { promise: end, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(sourceFault('SOURCE_SILENT', { address })), idle);
  const onAbort = () => reject(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, end]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
