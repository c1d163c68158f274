import { LIMITS } from '../../../schemas/grammar.ts';
import type { Manifest } from '../../format/manifest/manifest.ts';
import { type Finding, finding } from '../finding.ts';

/** `kubectl apply` keeps the whole object in an annotation, which may have 256 KiB. */
export function sizeFindings(manifest: Manifest, text: string): Finding[] {
  const span = manifest.document.span([]) ?? { start: 0, end: text.length };
  const bytes = Buffer.byteLength(text.slice(span.start, span.end));
  if (bytes <= LIMITS.warnBytes) return [];
  const { file, line, namespace, name } = manifest;
  const kilobytes = Math.ceil(bytes / 1000);
  return [
    finding(
      'CHECK_SIZE',
      { file, line, namespace, name },
      {
        message: `${kilobytes} KB: client-side \`kubectl apply\` stops working at 256 KiB`,
        advice: 'Divide it into several manifests, or run `coffer compact` to have fewer stanzas.',
      },
    ),
  ];
}
