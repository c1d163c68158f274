import { Bug } from '../errors.ts';
import type { Recipient } from './recipient.ts';

export interface Pins {
  identityOf(name: string): string | undefined;
}

/** A file that does not exist holds no pins. */
export async function readPinsFile(_file: string): Promise<Pins> {
  throw new Bug('not written yet');
}

export function checkPin(_pins: Pins, _recipient: Recipient): 'pinned' | 'unknown' | 'changed' {
  throw new Bug('not written yet');
}

export function userPinsFile(_env: NodeJS.ProcessEnv, _repositoryId: string): string {
  throw new Bug('not written yet');
}

export async function writePin(_file: string, _name: string, _identity: string): Promise<void> {
  throw new Bug('not written yet');
}
