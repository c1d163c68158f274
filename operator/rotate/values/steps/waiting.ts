import type { Accepted } from '../../../source/source.ts';
import type { Rotation } from '../remembered/rotation.ts';
import type { RotatingManifests } from '../rotating-manifests.ts';

/**
 * Rotations that nothing but another accepted state or other pins takes on: values that wait, for days, to be merged. There may be
 * thousands, after a key was stolen, and none is opened or parsed at each look.
 */
export class Waiting {
  /** A rotation is another object with each step. */
  readonly #since = new WeakMap<Rotation, { state: Accepted | undefined; pins: string }>();

  note(rotation: Rotation, { state }: Pick<RotatingManifests, 'state'>, pins: string): void {
    this.#since.set(rotation, { state, pins });
  }

  /** Whether all is as it was when this was noted. `pins`: text of the file. */
  has(rotation: Rotation, { state }: Pick<RotatingManifests, 'state'>, pins: string): boolean {
    const before = this.#since.get(rotation);
    return before !== undefined && before.state === state && before.pins === pins;
  }
}
