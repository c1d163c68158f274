/** Takes what a scan finds. */
export interface SealedSink {
  /** `at`: where the text begins. */
  text(dataKeyId: string, text: string, at: number): void;
  /** `at`: where the stanza begins. */
  key(dataKeyId: string, kid: string, at: number): void;
}

// docs/format.md, "Value" and "Stanza". Each is tried at one place only, so that a hostile file costs one pass.
const VALUE = /CF\[1:([A-Za-z0-9_-]{32}):[A-Za-z0-9_-]{96,}\]/y;
// The run is measured afterwards: counted in the pattern it takes twice as long.
const STANZA = /[0-9a-f]{32}:[A-Za-z0-9_-]*/y;
const STANZA_LENGTH = 32 + 1 + 1558;
const FIELD = /(?:^|[^A-Za-z0-9_-])([A-Za-z0-9_-]{32})["']?[ \t]*$/;
/** Of what stands before the colon of a field: its name, a quote on either side, some blanks, and what is before it. */
const FIELD_LENGTH = 40;

/**
 * Sealed texts and stanzas as they stand in a file, without parsing it: for all of a repository at its first commit. Text that a
 * file escapes or folds is not seen, so that nothing is judged by this alone. It goes from colon to colon: most of a file is
 * base64url, which has none.
 */
export function scanSealed(file: Buffer, sink: SealedSink): void {
  if (file.includes('CF[1:')) scanText(file.toString('latin1'), sink);
}

/** Of a file read as Latin-1, also where it holds stanzas alone. */
export function scanText(text: string, sink: SealedSink): void {
  let dataKeyId: string | undefined;
  for (let colon = text.indexOf(':'); colon >= 0; colon = text.indexOf(':', colon + 1)) {
    const value = matchAt(VALUE, text, colon - 'CF[1'.length);
    if (value !== null) {
      sink.text(value[1] ?? '', value[0], colon - 'CF[1'.length);
      colon += value[0].length - 'CF[1:'.length;
      continue;
    }
    const kid = kidAt(text, colon - 32);
    if (kid !== undefined && dataKeyId !== undefined) sink.key(dataKeyId, kid, colon - 32);
    else dataKeyId = FIELD.exec(text.slice(Math.max(0, colon - FIELD_LENGTH), colon))?.[1] ?? dataKeyId;
  }
}

function kidAt(text: string, at: number): string | undefined {
  if (at < 0) return undefined;
  STANZA.lastIndex = at;
  return STANZA.test(text) && STANZA.lastIndex - at === STANZA_LENGTH ? text.slice(at, at + 32) : undefined;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = Math.max(0, at);
  return pattern.exec(text);
}
