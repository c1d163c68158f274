import { CofferError } from '../../../core/errors.ts';
import type { RotatorConfig } from '../../config/settings.ts';
import { keyOf } from '../../project/namespaced-name.ts';
import { CommandRotator } from './command/command-rotator.ts';
import { fenced } from './fenced.ts';
import { PostgresRotator } from './postgres/postgres-rotator.ts';
import type { Rotator } from './rotator.ts';

/** The rotators of the operator's configuration, each for the manifests that it names. */
export class Rotators {
  readonly #rotators = new Map<string, { rotator: Rotator; secrets: readonly string[] }>();

  /** `mayWrite`: as of `fenced`. Throws ROTATOR_CONFIG, ROTATOR_USER. Reads no file, asks no server. */
  constructor(configured: readonly RotatorConfig[], said: (line: string) => void, mayWrite: () => void = () => {}) {
    for (const { name, secrets, postgres, command } of configured) {
      if (this.#rotators.has(name)) throw wrong(name, 'is configured twice');
      if ((postgres === undefined) === (command === undefined)) throw wrong(name, 'is neither one thing nor the other');
      const rotator =
        postgres === undefined ? new CommandRotator(name, command, said) : new PostgresRotator(name, postgres);
      this.#rotators.set(name, { rotator: fenced(rotator, mayWrite), secrets });
    }
  }

  /** Throws ROTATOR_UNKNOWN, ROTATOR_NOT_ALLOWED. */
  of(wanted: string, { namespace, name }: { namespace: string; name: string }): Rotator {
    const known = this.#rotators.get(wanted);
    if (known === undefined) {
      throw new CofferError(
        'ROTATOR_UNKNOWN',
        `${namespace}/${name} names the rotator ${wanted}, which this operator does not have.`,
        {
          advice: 'Add it to `rotation.rotators` of the operator’s configuration, or correct the manifest.',
          data: { namespace, name },
        },
      );
    }
    if (known.secrets.includes(keyOf(namespace, name))) return known.rotator;
    throw new CofferError('ROTATOR_NOT_ALLOWED', `${namespace}/${name} may not use the rotator ${wanted}.`, {
      advice: 'Add it to `secrets` of the rotator in the operator’s configuration, if it may.',
      data: { namespace, name },
    });
  }
}

function wrong(name: string, how: string): CofferError {
  return new CofferError('ROTATOR_CONFIG', `The rotator ${name} ${how}.`, {
    advice: 'Give each rotator a name of its own, and either `postgres` or `command`.',
    exit: 2,
    loop: 'stop',
  });
}
