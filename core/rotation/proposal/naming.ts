const SEALED = /CF\[1:([A-Za-z0-9_-]{32}):/g;

/** Whether a file may name one of these data keys. Cheap: it is not parsed. What is written with escapes names all of them. */
export function namesDataKey(bytes: Buffer, dataKeyIds: ReadonlySet<string>): boolean {
  if (bytes.includes('\\') && bytes.includes('EncryptedSecret')) return true;
  for (const [, id = ''] of bytes.toString('latin1').matchAll(SEALED)) if (dataKeyIds.has(id)) return true;
  return false;
}
