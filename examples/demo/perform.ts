import type { Stage } from './stage.ts';

/** Plays a demo, and leaves nothing behind, however it ends. A failure is told, and makes the exit code 1. */
export async function perform(stage: Stage, play: () => Promise<void>): Promise<void> {
  process.on('exit', () => stage.clear());
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.once(signal, () => process.exit(code));
  }
  try {
    await play();
  } catch (error) {
    console.error(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  } finally {
    await stage.stop();
  }
}
