import type { Manifest } from '../../format/manifest/manifest.ts';
import type { TemplatePart } from '../../format/manifest/template.ts';
import { command } from '../command.ts';
import { type Finding, finding } from '../finding.ts';
import { HOLE, secretLook } from './secret-look.ts';

/** Values that wait to be sealed, and secrets typed into the fixed text of templates, which is never sealed. */
export function plaintextFindings(manifest: Manifest): Finding[] {
  const found: Finding[] = [];
  const place = { file: manifest.file, namespace: manifest.namespace, name: manifest.name };
  for (const [entry, value] of manifest.entries) {
    if (value.kind === 'sealed') continue;
    found.push(
      finding(
        'CHECK_PLAINTEXT',
        { ...place, line: value.line, entry },
        {
          message: `entry ${entry} is plaintext`,
          advice: `Run ${command('encrypt', manifest.file)}. If it was ever committed, replace the value itself.`,
        },
      ),
    );
  }
  for (const { where, path, text } of fixedTexts(manifest)) {
    const seen = secretLook(text);
    if (seen === undefined) continue;
    const { line, column } = manifest.document.position(path);
    const certain = seen.look !== 'random text';
    found.push(
      finding(
        certain ? 'CHECK_TEMPLATE_SECRET' : 'CHECK_TEMPLATE_RANDOM',
        { ...place, line, column, entry: path.at(-1) ?? '' },
        {
          message: `${where} holds what looks like ${seen.look}; templates are not sealed`,
          advice: 'Seal it with `coffer set` as an entry of its own, and write ${ENTRY} in its place.',
        },
      ),
    );
  }
  return found;
}

interface FixedText {
  where: string;
  path: string[];
  text: string;
}

function* fixedTexts(manifest: Manifest): Iterable<FixedText> {
  for (const [entry, parts] of manifest.template.data) {
    yield { where: `template entry ${entry}`, path: ['spec', 'template', 'data', entry], text: fixedText(parts) };
  }
  for (const field of ['labels', 'annotations'] as const) {
    for (const [key, text] of manifest.template[field]) {
      yield { where: `template ${field} ${key}`, path: ['spec', 'template', 'metadata', field, key], text };
    }
  }
}

function fixedText(parts: readonly TemplatePart[]): string {
  return parts.map((part) => (part.kind === 'text' ? part.text : HOLE)).join('');
}
