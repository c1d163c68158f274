import { type Aspects, SEPARATOR } from '../aspects/aspects.ts';
import type { Outstanding } from './violation.ts';

const STANZA = /^spec\.keys\.([A-Za-z0-9_-]{32})\./;

/**
 * Whether somebody who must not took a stanza away, of a data key that no entry of the manifest names any more. Nobody misses it:
 * a new value has a data key of its own, and whoever sets it cannot put the former stanza back. `aspects`: of the file as it is.
 */
export function isIdle({ aspect }: Outstanding, aspects: Aspects): boolean {
  const [document = '', field = ''] = aspect.split(SEPARATOR);
  const dataKeyId = STANZA.exec(field)?.[1];
  if (dataKeyId === undefined || aspects.has(aspect)) return false;
  for (const [name, { entry, text }] of aspects) {
    if (entry !== undefined && name.startsWith(`${document}${SEPARATOR}`) && text.startsWith(`CF[1:${dataKeyId}:`))
      return false;
  }
  return true;
}
