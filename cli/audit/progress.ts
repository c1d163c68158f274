const EVERY = 500;

/** Tells people at a terminal how far it is; nobody else. */
export function progressOf(stream: NodeJS.WriteStream, isSilent: boolean): (place: string, records: number) => void {
  if (isSilent || !stream.isTTY) return () => undefined;
  let last = performance.now();
  return (_place, records) => {
    if (performance.now() - last < EVERY) return;
    last = performance.now();
    stream.write(`\r${records} records … \r`);
  };
}
