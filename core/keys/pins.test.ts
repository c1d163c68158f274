import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { sodiumReady } from '../crypto/sodium.ts';
import type { CofferError } from '../errors.ts';
import { createRecipient } from './create.ts';
import { identityText } from './key-texts.ts';
import type { Keyring } from './keyring.ts';
import { checkPin, type Pins, readPinsFile, userPinsFile, writePin } from './pins.ts';
import { type Recipient, readRecipient } from './recipient.ts';
import { sealingKeys } from './sealing-keys.ts';

const REPOSITORY = 'A'.repeat(22);

let folder: string;
let production: Recipient;
let impostor: Recipient;
let identity: string;

before(async () => {
  await sodiumReady();
  folder = await mkdtemp(join(tmpdir(), 'coffer-pins-'));
  const make = () =>
    createRecipient({ name: 'production', type: 'cluster', created: '2026-11-21T09:00:00Z' }).recipient;
  [production, impostor] = [make(), make()];
  identity = identityText(production.identity);
});
after(() => rm(folder, { recursive: true }));

async function pinsOf(text: string): Promise<Pins> {
  const file = join(folder, 'given');
  await writeFile(file, text);
  return readPinsFile(file);
}

const keyringOf = (...recipients: Recipient[]): Keyring => ({
  recipients: new Map(recipients.map((recipient) => [recipient.name, recipient])),
  problems: [],
});

describe('pins', () => {
  test('tell a trusted identity from an unknown and from a changed one', async () => {
    const pins = await pinsOf(`# ours\n\nproduction ${identity}\n`);
    assert.equal(checkPin(pins, production), 'pinned');
    assert.equal(checkPin(pins, { ...production, name: 'staging' }), 'unknown');
    assert.equal(checkPin(pins, impostor), 'changed');
  });

  test('are none where no file is', async () => {
    const pins = await readPinsFile(join(folder, 'absent', 'pins'));
    assert.equal(checkPin(pins, production), 'unknown');
  });

  test('are kept for each repository in the configuration of the user', () => {
    assert.equal(userPinsFile({ XDG_CONFIG_HOME: '/c', HOME: '/h' }, REPOSITORY), `/c/coffer/pins/${REPOSITORY}`);
    assert.equal(userPinsFile({ HOME: '/h' }, REPOSITORY), `/h/.config/coffer/pins/${REPOSITORY}`);
  });

  test('are written one by one, to a private file, and what is there stays', async () => {
    const file = userPinsFile({ XDG_CONFIG_HOME: folder }, REPOSITORY);
    await writePin(file, 'production', identity);
    await writeFile(file, `# compared by phone\n${await readFile(file, 'utf8')}`);
    await writePin(file, 'staging', identityText(impostor.identity));
    const text = await readFile(file, 'utf8');
    assert.equal(text, `# compared by phone\nproduction ${identity}\nstaging ${identityText(impostor.identity)}\n`);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
  });

  test('a new pin takes the place of the one of its name', async () => {
    const file = join(folder, 'replaced');
    await writePin(file, 'production', identity);
    await writePin(file, 'production', identityText(impostor.identity));
    assert.equal(checkPin(await readPinsFile(file), impostor), 'pinned');
    assert.equal(checkPin(await readPinsFile(file), production), 'changed');
  });

  const refused: [what: string, text: () => string, code: string, line: number][] = [
    ['a name alone', () => `\nproduction\n`, 'PINS_LINE', 2],
    ['a third word', () => `production ${identity} x`, 'PINS_LINE', 1],
    ['a name that no recipient can have', () => `Production ${identity}`, 'PINS_LINE', 1],
    ['a name twice', () => `production ${identity}\nproduction ${identity}`, 'PINS_TWICE', 2],
    ['a mistyped identity', () => `production ${identity}A`, 'KEY_TEXT_MISTYPED', 1],
    ['a key in place of the identity', () => 'production coffer-public-1-AAAA', 'KEY_TEXT_KIND', 1],
  ];
  for (const [what, text, code, line] of refused) {
    test(`a file with ${what} is refused, with its line`, async () => {
      await assert.rejects(pinsOf(text()), (error: CofferError) => {
        assert.equal(error.code, code);
        assert.equal(error.data.line, line);
        assert.equal(error.data.file, join(folder, 'given'));
        return true;
      });
    });
  }
});

describe('keys to seal to', () => {
  const trusting: Pins = { identityOf: () => identity };

  test('are the active keys of pinned recipients, in the order asked', () => {
    const staging = { ...production, name: 'staging' };
    const keys = sealingKeys(keyringOf(production, staging), trusting, ['staging', 'production']);
    assert.deepEqual(
      keys.map(({ recipient, kid }) => [recipient, kid]),
      [
        ['staging', production.keys[0]?.kid],
        ['production', production.keys[0]?.kid],
      ],
    );
  });

  const refused: [what: string, keyring: () => Keyring, pins: Pins, code: string][] = [
    ['a recipient that is not in the keyring', () => keyringOf(), trusting, 'RECIPIENT_UNKNOWN'],
    [
      'a recipient that is not pinned',
      () => keyringOf(production),
      { identityOf: () => undefined },
      'RECIPIENT_UNPINNED',
    ],
    ['a recipient whose identity changed', () => keyringOf(impostor), trusting, 'RECIPIENT_IDENTITY_CHANGED'],
    [
      'a recipient whose keys are all retired',
      () => keyringOf({ ...production, keys: production.keys.map((key) => ({ ...key, status: 'retired' })) }),
      trusting,
      'RECIPIENT_NO_ACTIVE_KEY',
    ],
  ];
  for (const [what, keyring, pins, code] of refused) {
    test(`nothing is sealed to ${what}`, () => {
      assert.throws(() => sealingKeys(keyring(), pins, ['production']), { code });
    });
  }

  test("a recipient whose file is wrong: the error is the file's", () => {
    const problem = problemOf(() => readRecipient(Buffer.from('a: b\n'), '.coffer/recipients/production.yaml'));
    const keyring: Keyring = { recipients: new Map(), problems: [problem] };
    assert.throws(() => sealingKeys(keyring, trusting, ['production']), { code: 'RECIPIENT_FILE' });
  });

  function problemOf(attempt: () => unknown): CofferError {
    try {
      attempt();
    } catch (error) {
      return error as CofferError;
    }
    throw new Error('expected a refusal');
  }
});
