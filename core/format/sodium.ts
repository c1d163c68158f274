import { Bug } from '../errors.ts';

export async function sodiumReady(): Promise<void> {
  throw new Bug('not written yet');
}
