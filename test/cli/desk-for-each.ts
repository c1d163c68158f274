import { join } from 'node:path';
import { after, before, beforeEach } from 'node:test';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import { Desk } from './desk.ts';

/**
 * A desk for each test of a file: a copy of one that is set up once, with coffer on its PATH and a repository of secrets in which
 * `setUp` makes what the tests need, all of it committed then.
 */
export function deskForEach(setUp: (desk: Desk) => void, give: (desk: Desk) => void): void {
  const desks: Desk[] = [];
  let template: Desk;
  before(async () => {
    await sodiumReady();
    template = new Desk();
    desks.push(template);
    template.installCoffer();
    template.coffer(['init']);
    setUp(template);
    template.commit('Begin');
  });
  beforeEach(() => {
    for (const used of desks.splice(1)) used.remove();
    const desk = new Desk(template);
    desks.push(desk);
    give(desk);
  });
  after(() => {
    for (const desk of desks) desk.remove();
  });
}

/** The flags by which coffer takes the secret keys from a folder beside the repository. */
export function keysIn(desk: Desk, name: string): string[] {
  return ['--key-dir', join(desk.home, name)];
}

/** A manifest of each name in `apps/`, with one password: `NAME-secret`. @param to recipients; none: those of the configuration */
export function makeSecrets(desk: Desk, names: readonly string[], to: readonly string[] = []): void {
  for (const name of names) {
    const file = `apps/${name}.yaml`;
    const recipients = to.flatMap((recipient) => ['--recipient', recipient]);
    desk.coffer(['new', `payments/${name}`, '--reader', 'api', '-o', file, ...recipients]);
    desk.coffer(['set', file, 'password'], `${name}-secret`);
  }
}
