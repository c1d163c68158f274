import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Binding } from '../../core/format/sealed/binding.ts';

/** The vectors as test/vectors/README.md describes them. Bytes are hex. */

export interface Refusal {
  why: string;
  code: string;
}

export interface Encodings {
  pae: { parts: string[]; encoded: string }[];
  base64url: { mustDecode: { text: string; bytes: string }[]; mustRefuse: (Refusal & { text: string })[] };
  dataKeyIds: { dataKey: string; id: string }[];
}

export interface Keys {
  recipients: {
    name: string;
    created: string;
    seed: string;
    secretKeyText: string;
    publicKeyText: string;
    kid: string;
    identitySeed: string;
    identitySecretText: string;
    identityText: string;
    endorsement: string;
  }[];
  texts: { mustRefuse: (Refusal & { kind: 'public' | 'secret' | 'identity' | 'identity-secret'; text: string })[] };
  endorsements: {
    mustRefuse: {
      why: string;
      identityText: string;
      recipient: string;
      kid: string;
      created: string;
      endorsement: string;
    }[];
  };
}

interface StanzaContext {
  recipient: string;
  kid: string;
  seed: string;
  binding: Binding;
  dataKeyId: string;
  stanza: string;
}

export interface Stanzas {
  mustOpen: (StanzaContext & { dataKey: string; encapsulationSeed: string })[];
  mustRefuse: (Refusal & StanzaContext)[];
  mustNotSealTo: (Refusal & { publicKey: string })[];
}

interface SeedContext {
  group: string;
  groupKid: string;
  member: string;
  memberKid: string;
  memberSeed: string;
  sealed: string;
}

export interface GroupSeeds {
  mustOpen: (SeedContext & { groupSeed: string; encapsulationSeed: string })[];
  mustRefuse: (Refusal & SeedContext)[];
}

interface ValueContext {
  binding: Binding;
  entry: string;
  dataKey: string;
  text: string;
}

export interface Values {
  /** `nonce` is absent where the writer chose more padding than ours does. */
  mustOpen: (ValueContext & { why: string; plaintext: string; nonce?: string })[];
  mustRefuse: (Refusal & ValueContext)[];
}

export interface Templates {
  values: Record<string, string>;
  mustRender: { template: string; rendered: string }[];
  mustRefuse: (Refusal & { template: string })[];
}

/** `text`, or `bytes` where it is none. */
interface FileVector {
  why: string;
  file: string;
  text?: string;
  bytes?: string;
  /** Without `recipient`: whoever lists the key in `keyring`. */
  opener: { recipient?: string; seed: string };
  keyring?: { file: string; text: string }[];
}

export interface Manifests {
  mustOpen: (FileVector & { values: Record<string, string>; pending: string[] })[];
  mustRefuse: (FileVector & Refusal)[];
}

export interface Recipients {
  mustRead: { file: string; text: string; activeKid: string }[];
  mustRefuse: (Refusal & { file: string; text: string })[];
}

/** From the working group's draft; see README.md. */
export interface HpkeDraft {
  skRm: string;
  pkRm: string;
  enc: string;
  info: string;
  shared_secret: string;
  key: string;
  base_nonce: string;
}

export function readVectors<Vectors>(name: string): Vectors {
  return JSON.parse(readFileSync(join(import.meta.dirname, name), 'utf8')) as Vectors;
}
