import { BoxedMessage } from '../../ejson/boxed-message.ts';
import { eachString, placeOfToken, readEjson } from '../../ejson/document.ts';
import { unquote } from '../../ejson/json-string.ts';
import { CofferError } from '../../errors.ts';
import { command } from '../command.ts';
import { type Finding, finding, findingOf } from '../finding.ts';

/** Strings of an ejson file that are not sealed and whose key does not say so by an underscore. */
export function ejsonFindings(bytes: Buffer, file: string): Finding[] {
  try {
    const document = readEjson(bytes, file, { multiline: true });
    const findings: Finding[] = [];
    eachString(document, (token) => {
      const isClear = token.role === 'key' || (token.afterUnderscore && token.underUnderscore);
      if (isClear || isBoxed(unquote(bytes, token.start, token.end))) return;
      findings.push(
        finding('CHECK_EJSON_PLAINTEXT', placeOfToken(document, token), {
          message: 'a value is plaintext',
          advice: `Run ${command('encrypt', file)}. If it was ever committed, replace the value itself.`,
        }),
      );
    });
    return findings;
  } catch (error) {
    if (error instanceof CofferError) return [findingOf(error, file)];
    throw error;
  }
}

function isBoxed(content: Buffer | undefined): boolean {
  return content !== undefined && new BoxedMessage().read(content) === 'boxed';
}
