import { CofferError } from '../../../core/errors.ts';
import { LARGEST_SECRET } from '../../kubernetes/secret-body.ts';
import { ADOPT, RECREATE, SUSPEND_UNTIL } from './marks.ts';

/** Why a Secret is left as it is, and the way out, with the command where there is one. */

interface Place {
  namespace: string;
  name: string;
}

function annotate({ namespace, name }: Place, annotation: string): string {
  return `kubectl -n ${namespace} annotate secret ${name} ${annotation}`;
}

export function notOurs(place: Place): CofferError {
  return new CofferError('SECRET_NOT_OURS', 'There is a Secret of that name already, and coffer did not make it.', {
    advice: `Delete or rename it, or let coffer take it over, without a moment of its absence: ${annotate(place, `${ADOPT}=true`)}`,
    data: place,
  });
}

export function suspended(place: Place, until: number): CofferError {
  const time = new Date(until).toISOString();
  return new CofferError('SECRET_SUSPENDED', `A person has asked to leave this Secret as it is until ${time}.`, {
    advice: `Nothing: it is put right at that time. To end it sooner: ${annotate(place, `${SUSPEND_UNTIL}-`)}`,
    data: place,
  });
}

export function immutable(place: Place): CofferError {
  return new CofferError('SECRET_IMMUTABLE', 'The Secret has been made immutable, and its entries are to change.', {
    advice: `Only deleting it helps; pods that start meanwhile wait. Let coffer delete and make it again: ${annotate(place, `${RECREATE}=true`)}`,
    data: place,
  });
}

export function typeChanged(place: Place, from: string, to: string): CofferError {
  return new CofferError(
    'SECRET_TYPE_CHANGED',
    `The Secret is of type ${from} and is to be ${to}: Kubernetes allows no such change.`,
    {
      advice: `Set the type back in the manifest, or let coffer delete the Secret and make it again (pods that start meanwhile wait): ${annotate(place, `${RECREATE}=true`)}`,
      data: place,
    },
  );
}

export function tooLarge(place: Place, size: number): CofferError {
  return new CofferError(
    'SECRET_TOO_LARGE',
    `The entries are ${size} bytes in all, and a Secret holds at most ${LARGEST_SECRET}.`,
    { advice: 'Divide the manifest, or project it as volumes (`projection: Volume`).', data: place },
  );
}

export function contended(place: Place): CofferError {
  return new CofferError('SECRET_CONTENDED', 'Others kept changing the Secret while it was to be written.', {
    advice: 'Find who else writes it (kubectl get secret -o yaml --show-managed-fields), and let only one do so.',
    data: place,
    loop: 'retry',
  });
}

/** Of one Secret; a mistake of ours is thrown on. */
export function refusal(error: unknown, place: Place & { workload: string }): CofferError {
  if (!(error instanceof CofferError)) throw error;
  return error.at(place);
}
