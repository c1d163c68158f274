import { type NewManifest, renderManifest } from '../../../core/format/edit/new-manifest.ts';
import type { SealingKey } from '../../../core/format/sealed/stanza.ts';
import type { Player } from './cast.ts';
import { randomFrom } from './random.ts';

/** The manifest that the vectors vary. */

export const PASSWORD = Buffer.from('correct horse');
export const USERNAME = Buffer.from('ada');

const WANTED: NewManifest = {
  namespace: 'payments',
  name: 'payments-db',
  recipients: ['production', 'staging'],
  readers: [{ name: 'payments-api' }],
  entries: new Map([
    ['password', PASSWORD],
    ['username', USERNAME],
  ]),
};

export const VALUES = { password: PASSWORD.toString('hex'), username: USERNAME.toString('hex') };

/** A manifest in the writer's layout, of one run. */
export function rendered(wanted: Partial<NewManifest>, keys: readonly SealingKey[], label: string): string {
  return renderManifest({ ...WANTED, ...wanted }, keys, randomFrom(`manifest ${label}`));
}

/** Who opens, and under which name. */
export function opener({ opening: { recipient, seed } }: Player): object {
  return { recipient, seed: Buffer.from(seed).toString('hex') };
}
