/** Milliseconds of silence after which the process is taken to be stuck: more than any one request, fetch or command may take. */
const STUCK = 10 * 60_000;

/** How the process is, for probes. */
export class Health {
  /** `standby`: another one leads, and this one would take over. */
  phase: 'starting' | 'standby' | 'leading' = 'starting';
  /** Whether every source was projected. */
  isProjected: () => boolean = () => false;
  /** Whether what is to be done can be recorded: else nothing new is. */
  isRecorded: () => boolean = () => true;
  #beatAt = performance.now();

  /** Something came to its end, well or not: a look, a request, a poll. */
  beat(): void {
    this.#beatAt = performance.now();
  }

  isAlive(): boolean {
    return performance.now() - this.#beatAt < STUCK;
  }

  isReady(): boolean {
    return this.phase === 'standby' || (this.phase === 'leading' && this.isProjected() && this.isRecorded());
  }
}
