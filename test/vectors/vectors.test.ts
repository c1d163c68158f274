import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { decodeBase64url, encodeBase64url } from '../../core/crypto/base64url.ts';
import { hpkeSeal, keySchedule } from '../../core/crypto/hpke.ts';
import { pae } from '../../core/crypto/pae.ts';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import { decapsulate, publicKeyFromSeed } from '../../core/crypto/x-wing.ts';
import type { CofferError } from '../../core/errors.ts';
import { readManifestFile } from '../../core/format/manifest/read-manifest.ts';
import { parseTemplate, renderTemplate } from '../../core/format/manifest/template.ts';
import { dataKeyId } from '../../core/format/sealed/data-key.ts';
import { openStanza, sealStanza } from '../../core/format/sealed/stanza.ts';
import { openValue, sealValue } from '../../core/format/sealed/value.ts';
import { endorse, identityOf, verifyEndorsement } from '../../core/keys/endorsement.ts';
import { openGroupSeed, sealGroupSeed } from '../../core/keys/group.ts';
import { keyId } from '../../core/keys/key-id.ts';
import {
  identitySecretText,
  identityText,
  parseIdentity,
  parseIdentitySecret,
  parsePublicKey,
  parseSecretKey,
  publicKeyText,
  secretKeyText,
} from '../../core/keys/key-texts.ts';
import { keyringFrom } from '../../core/keys/keyring.ts';
import { activeKey, readRecipient } from '../../core/keys/recipient.ts';
import { openManifest } from '../../core/opening/open-manifest.ts';
import { openerFor } from '../../core/opening/opener.ts';
import {
  type Encodings,
  type GroupSeeds,
  type HpkeDraft,
  type Keys,
  type Manifests,
  type Recipients,
  readVectors,
  type Stanzas,
  type Templates,
  type Values,
} from './read.ts';

const hex = (text: string) => Buffer.from(text, 'hex');
/** Randomness that a vector gives. */
const given = (text: string) => () => hex(text);

before(sodiumReady);

test('the vectors are what their generator makes', async () => {
  await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'generate.ts'), '--check']);
});

describe('encodings.json', () => {
  const { pae: paes, base64url, dataKeyIds } = readVectors<Encodings>('encodings.json');

  test('parts are encoded before authentication as the vectors say', () => {
    for (const { parts, encoded } of paes) assert.equal(pae(...parts.map(hex)).toString('hex'), encoded);
  });

  test('base64url decodes to the bytes, and the bytes encode to the text', () => {
    for (const { text, bytes } of base64url.mustDecode) {
      assert.deepEqual(decodeBase64url(text), hex(bytes));
      assert.equal(encodeBase64url(hex(bytes)), text);
    }
  });

  for (const { why, code, text } of base64url.mustRefuse) {
    test(`base64url is refused: ${why} ${JSON.stringify(text)}`, () => {
      assert.throws(() => decodeBase64url(text), { code });
    });
  }

  test('a data key has the id of the vectors', () => {
    for (const { dataKey, id } of dataKeyIds) assert.equal(dataKeyId(hex(dataKey)), id);
  });
});

describe('keys.json', () => {
  const { recipients, texts, endorsements } = readVectors<Keys>('keys.json');
  const parse = {
    public: parsePublicKey,
    secret: (text: string) => parseSecretKey(Buffer.from(text)),
    identity: parseIdentity,
    'identity-secret': (text: string) => parseIdentitySecret(Buffer.from(text)),
  };

  for (const vector of recipients) {
    test(`${vector.name}: the seeds give the texts, the kid and the endorsement`, () => {
      const seed = hex(vector.seed);
      const identitySeed = hex(vector.identitySeed);
      const publicKey = publicKeyFromSeed(seed);
      assert.equal(secretKeyText(seed).toString(), vector.secretKeyText);
      assert.equal(publicKeyText(publicKey), vector.publicKeyText);
      assert.equal(keyId(publicKey), vector.kid);
      assert.equal(identitySecretText(identitySeed).toString(), vector.identitySecretText);
      assert.equal(identityText(identityOf(identitySeed)), vector.identityText);
      assert.equal(endorse(identitySeed, vector.name, vector.kid, vector.created), vector.endorsement);
    });

    test(`${vector.name}: the texts give the bytes, and the endorsement is valid`, () => {
      assert.deepEqual(parse.secret(vector.secretKeyText), hex(vector.seed));
      assert.deepEqual(parse['identity-secret'](vector.identitySecretText), hex(vector.identitySeed));
      assert.deepEqual(parse.public(vector.publicKeyText), publicKeyFromSeed(hex(vector.seed)));
      const identity = parse.identity(vector.identityText);
      assert.ok(verifyEndorsement(identity, vector.endorsement, vector.name, vector.kid, vector.created));
    });
  }

  for (const { why, code, kind, text } of texts.mustRefuse) {
    test(`the text of a ${kind} key is refused: ${why}`, () => assert.throws(() => parse[kind](text), { code }));
  }

  for (const { why, identityText: identity, endorsement, recipient, kid, created } of endorsements.mustRefuse) {
    test(`an endorsement is not valid: ${why}`, () => {
      assert.equal(verifyEndorsement(parseIdentity(identity), endorsement, recipient, kid, created), false);
    });
  }
});

describe('hpke-pq-draft.json, of the working group', () => {
  const draft = readVectors<HpkeDraft>('hpke-pq-draft.json');

  test('the seed gives the public key', () => {
    assert.equal(publicKeyFromSeed(hex(draft.skRm)).toString('hex'), draft.pkRm);
  });

  test('the encapsulation gives the shared secret, and that the key and the nonce', () => {
    const sharedSecret = decapsulate(hex(draft.skRm), hex(draft.enc));
    assert.equal(sharedSecret.toString('hex'), draft.shared_secret);
    const { key, nonce } = keySchedule(sharedSecret, hex(draft.info));
    assert.equal(key.toString('hex'), draft.key);
    assert.equal(nonce.toString('hex'), draft.base_nonce);
  });
});

describe('stanzas.json', () => {
  const { mustOpen, mustRefuse, mustNotSealTo } = readVectors<Stanzas>('stanzas.json');

  for (const { recipient, kid, seed, binding, dataKeyId: id, dataKey, encapsulationSeed, stanza } of mustOpen) {
    test(`a stanza opens, and is made again from its randomness: ${recipient}, scope ${binding.scope}`, () => {
      assert.deepEqual(openStanza(stanza, { recipient, kid, seed: hex(seed) }, binding, id), hex(dataKey));
      const to = { recipient, kid, publicKey: publicKeyFromSeed(hex(seed)) };
      assert.equal(sealStanza({ id, key: hex(dataKey) }, to, binding, given(encapsulationSeed)), stanza);
    });
  }

  for (const { why, code, recipient, kid, seed, binding, dataKeyId: id, stanza } of mustRefuse) {
    test(`a stanza is refused: ${why}`, () => {
      assert.throws(() => openStanza(stanza, { recipient, kid, seed: hex(seed) }, binding, id), { code });
    });
  }

  for (const { why, code, publicKey } of mustNotSealTo) {
    test(`nothing is sealed to a public key: ${why}`, () => {
      assert.throws(() => hpkeSeal(hex(publicKey), Buffer.alloc(0), Buffer.alloc(32)), { code });
    });
  }
});

describe('group-seeds.json', () => {
  const { mustOpen, mustRefuse } = readVectors<GroupSeeds>('group-seeds.json');

  for (const { group, groupKid, member, memberKid, memberSeed, groupSeed, encapsulationSeed, sealed } of mustOpen) {
    test(`the seed of a group opens, and is sealed again from its randomness: ${group} for ${member}`, () => {
      const of = { name: group, kid: groupKid };
      const as = { recipient: member, kid: memberKid, seed: hex(memberSeed) };
      assert.deepEqual(openGroupSeed(sealed, of, as), hex(groupSeed));
      const to = { recipient: member, kid: memberKid, publicKey: publicKeyFromSeed(hex(memberSeed)) };
      assert.equal(sealGroupSeed(hex(groupSeed), of, to, given(encapsulationSeed)), sealed);
    });
  }

  for (const { why, code, group, groupKid, member, memberKid, memberSeed, sealed } of mustRefuse) {
    test(`the seed of a group is refused: ${why}`, () => {
      const as = { recipient: member, kid: memberKid, seed: hex(memberSeed) };
      assert.throws(() => openGroupSeed(sealed, { name: group, kid: groupKid }, as), { code });
    });
  }
});

describe('values.json', () => {
  const { mustOpen, mustRefuse } = readVectors<Values>('values.json');

  for (const { why, binding, entry, dataKey, nonce, plaintext, text } of mustOpen) {
    test(`a value opens: ${why}`, () => {
      assert.deepEqual(openValue(text, hex(dataKey), binding, entry), hex(plaintext));
      if (nonce === undefined) return;
      const key = { id: dataKeyId(hex(dataKey)), key: hex(dataKey) };
      assert.equal(sealValue(hex(plaintext), key, binding, entry, given(nonce)), text);
    });
  }

  for (const { why, code, binding, entry, dataKey, text } of mustRefuse) {
    test(`a value is refused: ${why}`, () => {
      assert.throws(() => openValue(text, hex(dataKey), binding, entry), { code });
    });
  }
});

describe('templates.json', () => {
  const { values, mustRender, mustRefuse } = readVectors<Templates>('templates.json');
  const bytes = new Map(Object.entries(values).map(([entry, value]) => [entry, hex(value)]));

  for (const { template, rendered } of mustRender) {
    test(`a template is rendered: ${JSON.stringify(template)}`, () => {
      assert.equal(renderTemplate(parseTemplate(template), bytes).toString('hex'), rendered);
    });
  }

  for (const { why, code, template } of mustRefuse) {
    test(`a template is refused: ${why} ${JSON.stringify(template)}`, () => {
      assert.throws(() => renderTemplate(parseTemplate(template), bytes), { code });
    });
  }
});

describe('recipients.json', () => {
  const { mustRead, mustRefuse } = readVectors<Recipients>('recipients.json');

  for (const { file, text, activeKid } of mustRead) {
    test(`a file of the keyring is read: ${file}`, () => {
      assert.equal(activeKey(readRecipient(Buffer.from(text), file))?.kid, activeKid);
    });
  }

  for (const { why, code, file, text } of mustRefuse) {
    test(`a file of the keyring is refused: ${why}`, () => {
      assert.throws(() => readRecipient(Buffer.from(text), file), { code });
    });
  }
});

describe('manifests.json', () => {
  const { mustOpen, mustRefuse } = readVectors<Manifests>('manifests.json');

  function open(vector: Manifests['mustOpen'][number] | Manifests['mustRefuse'][number]) {
    const { file, text, bytes, opener, keyring = [] } = vector;
    const seed = hex(opener.seed);
    const kid = keyId(publicKeyFromSeed(seed));
    const us = openerFor(
      keyringFrom(keyring.map((one) => ({ path: one.file, bytes: Buffer.from(one.text) }))),
      { keys: new Map([[kid, { kid, seed }]]), problems: [], wipe: () => undefined },
      opener.recipient === undefined ? {} : { as: opener.recipient },
    );
    const { manifests } = readManifestFile(bytes === undefined ? Buffer.from(text ?? '') : hex(bytes), file);
    assert.equal(manifests.length, 1);
    return manifests.map((manifest) => openManifest(manifest, us));
  }

  for (const vector of mustOpen) {
    test(`a manifest opens: ${vector.why}`, () => {
      const [opened] = open(vector);
      assert.deepEqual(
        opened?.values,
        new Map(Object.entries(vector.values).map(([entry, value]) => [entry, hex(value)])),
      );
      assert.deepEqual(opened?.pending, vector.pending);
    });
  }

  for (const vector of mustRefuse) {
    test(`a manifest is refused: ${vector.why}`, () => {
      assert.throws(
        () => open(vector),
        (error: CofferError) => {
          assert.equal(error.code, vector.code, error.message);
          assert.equal(error.data.file, vector.file);
          return true;
        },
      );
    });
  }
});
