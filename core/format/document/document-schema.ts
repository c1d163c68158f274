/** What the schema of a document's kind refuses, as errors with file, line and column. */
import { SCHEMAS } from '../../../schemas/index.ts';
import { type SchemaProblem, validate } from '../../../schemas/validate.ts';
import { CofferError } from '../../errors.ts';
import type { CofferDocument } from './document.ts';
import { nodeAt } from './node.ts';
import { isAmbiguousPlain } from './plain-scalar.ts';
import { quoteAdvice } from './strictness.ts';

/** None: the document conforms. A plain scalar that is not read as a string is told apart, with the advice to quote. */
export function schemaProblems(document: CofferDocument): CofferError[] {
  return validate(SCHEMAS[document.kind], document.value).map((problem) => schemaError(document, problem));
}

function schemaError(document: CofferDocument, { path, message, advice, wantsString }: SchemaProblem): CofferError {
  const { line, column } = document.position(path);
  const where = path.length === 0 ? '' : `${pathText(path)}: `;
  const data = { file: document.file, line, column, path: pathText(path) };
  const node = nodeAt(document.root, path);
  if (wantsString && node?.kind === 'scalar' && node.style === 'plain' && isAmbiguousPlain(node.text)) {
    return new CofferError(
      'DOCUMENT_AMBIGUOUS',
      `${where}YAML 1.1 or 1.2 reads this as something else than a string.`,
      { advice: quoteAdvice(node.text), data },
    );
  }
  return new CofferError('DOCUMENT_FIELD', `${where}${message}`, { advice, data });
}

/** `spec.readers[0].name`. */
function pathText(path: readonly (string | number)[]): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    .join('')
    .replace(/^\./, '');
}
