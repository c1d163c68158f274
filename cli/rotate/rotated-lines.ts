/** What a rotation did, in words. */
import { count } from '../render/count.ts';
import type { RotatedManifest } from './rotate-file.ts';

/** `said`: done, or with `isDry` to be done. `warned`: due, and left to others. */
export function rotatedLines(
  { manifest, rotated, kept, removed, left, exposed }: RotatedManifest,
  path: string,
  isDry: boolean,
  emphasise: (text: string) => string,
): { said: string[]; warned: string[] } {
  const place = `${manifest} (${path})`;
  const stays = kept.length === 0 ? '' : `; the former value stays as ${kept.join(', ')}`;
  const said = [
    ...(rotated.length === 0
      ? []
      : [`${isDry ? 'would rotate' : 'rotated'} ${emphasise(rotated.join(', '))} of ${place}${stays}`]),
    ...(removed.length === 0
      ? []
      : [`${isDry ? 'would remove' : 'removed'} ${emphasise(removed.join(', '))} of ${place}`]),
  ];
  const warned = left.map(({ entry, by }) => {
    const what = `${entry} of ${place}${exposed.includes(entry) ? ' is exposed, and' : ''}`;
    return by === 'hand'
      ? `${what} is changed by hand: where it is used, and then with \`coffer set ${path} ${entry}\``
      : `${what} is rotated by ${by}, which an operator runs`;
  });
  return { said, warned };
}

/** Of the commit that holds all of it. */
export function messageOf(manifests: readonly RotatedManifest[]): string {
  const [first, ...more] = manifests.filter(({ rotated, removed }) => rotated.length + removed.length > 0);
  if (first === undefined) return 'Rotate values';
  const made = manifests.reduce((sum, { rotated }) => sum + rotated.length, 0);
  if (more.length > 0) return made === 0 ? 'Remove former values' : `Rotate ${count(made, 'value')}`;
  const { manifest, rotated, removed } = first;
  return made === 0 ? `Remove ${removed.join(', ')} of ${manifest}` : `Rotate ${rotated.join(', ')} of ${manifest}`;
}
