/** Runs loops until the signal. One that fails ends the others; then its error is thrown. */
export async function allOrNone(
  signal: AbortSignal,
  start: (ends: AbortSignal) => readonly Promise<void>[],
): Promise<void> {
  const failure = new AbortController();
  const loops = start(AbortSignal.any([signal, failure.signal]));
  const settled = await Promise.allSettled(
    loops.map((loop) =>
      loop.catch((error: unknown) => {
        failure.abort();
        throw error;
      }),
    ),
  );
  for (const result of settled) if (result.status === 'rejected') throw result.reason;
}
