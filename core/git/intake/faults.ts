import { CofferError } from '../../errors.ts';
import type { ObjectType } from '../packs/pack.ts';

/** A pack that is torn, changed on its way, or was never one. `detail`: our words, nothing of its content. */
export function malformedPack(detail: string, cause?: unknown): CofferError {
  return new CofferError('PACK_MALFORMED', `the pack is damaged: ${detail}`, {
    advice: 'Run `git fsck` on the server; it is fetched again.',
    loop: 'retry',
    cause,
  });
}

export function tooLargePack(detail: string): CofferError {
  return new CofferError('PACK_TOO_LARGE', `the pack holds more than is taken: ${detail}`, {
    advice: 'Keep secrets in a repository of their own.',
    loop: 'retry',
  });
}

/** `problem`: git-fsck's name of what is wrong. */
export function refusedObject(type: ObjectType, oid: string, problem: string): CofferError {
  return new CofferError(
    'PACK_OBJECT_REFUSED',
    `the pack holds a ${type} that is not as git makes them: ${oid} (${problem})`,
    {
      advice:
        'Run `git fsck --strict` on the server, and take that object out of the history, or divide what is too long.',
      loop: 'retry',
    },
  );
}

export function collision(oid: string): CofferError {
  return new CofferError(
    'PACK_COLLISION',
    `the pack holds another object under the name ${oid} than the one that is here`,
    {
      advice:
        'Somebody made two objects of one SHA-1: find out who pushed it before anything else is taken from there.',
      loop: 'retry',
    },
  );
}

/** Computed for two contents to have its name: `core/git/sha1`. */
export function attackedObject(type: ObjectType, oid: string): CofferError {
  return new CofferError(
    'PACK_COLLISION_ATTACK',
    `the pack holds a ${type} that was computed to have its name, ${oid}, together with another content`,
    {
      advice:
        'Somebody attacks SHA-1: find out who pushed it, and take that object out of the history before anything else is taken from there.',
      loop: 'retry',
    },
  );
}

export function unwritable(code: string, cause: unknown): CofferError {
  return new CofferError('PACK_UNWRITABLE', `the pack cannot be written (${code})`, {
    advice: 'Make room where the state directory is.',
    loop: 'retry',
    cause,
  });
}
