const EVERY = 500;

/** Tells people at a terminal how far it is; nobody else. */
export function progressOf(stream: NodeJS.WriteStream, isSilent: boolean): (records: number) => void {
  if (isSilent || !stream.isTTY) return () => undefined;
  let last = performance.now();
  return (records) => {
    if (performance.now() - last < EVERY) return;
    last = performance.now();
    stream.write(`\r${records} records … \r`);
  };
}
