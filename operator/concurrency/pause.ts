import { setTimeout } from 'node:timers/promises';
import { LONGEST_TIMER } from '../../core/duration.ts';

/** Resolves after so many milliseconds, the longest that a timer knows at most: `true`; or at the signal: `false`. */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<boolean> {
  try {
    await setTimeout(Math.min(milliseconds, LONGEST_TIMER), undefined, signal === undefined ? {} : { signal });
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') return false;
    throw error;
  }
}
