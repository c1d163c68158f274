import type { Signer } from '../../core/signatures/signer.ts';
import { Grants } from '../../core/trust/policy/grants.ts';
import { endorsersBy, type Policy } from '../../core/trust/policy/policy.ts';
import type { TrustPolicy } from '../../schemas/trust-policy.ts';

/** In a commit's message: who signed it, to the double of signatures below. */
export const SIGNED_BY = 'Signed-by: ';

type Spec = TrustPolicy['spec'];

/** carol may all; alice all that makes up manifests; val only values; ed endorses and changes nothing; bob signs and may nothing. */
export const GRANTS: Spec['grants'] = [
  {
    signers: ['alice', 'carol'],
    may: ['values', 'readers', 'recipients', 'namespaces', 'type', 'template', 'rotation', 'deletionPolicy', 'removal'],
  },
  { signers: ['carol'], may: ['keyring', 'rules', 'requests', 'endorse'] },
  { signers: ['val'], may: ['values'] },
  { signers: ['ed'], may: ['endorse'] },
];

const SIGNERS = new Set(['alice', 'bob', 'carol', 'val', 'ed']);

/** The real rules, with a double of signatures: who signed is what the commit's message says. */
export function policyOf(spec: Pick<Spec, 'grants' | 'namespaces'> = { grants: GRANTS }): Policy {
  const grants = new Grants(spec.grants);
  return {
    file: 'policy.yaml',
    digest: '',
    files: [],
    signers: {
      async verify({ payload }) {
        const [, name = ''] = String(payload).split(SIGNED_BY);
        return SIGNERS.has(name.trim()) ? { outcome: 'good', signer: signerOf(name.trim()) } : { outcome: 'unsigned' };
      },
    },
    mayChange: (signer, path, subject) => grants.allow(signer, path, subject),
    whoMay: (path, subject) => grants.holders([path, subject]),
    whoEndorses: (path, subjects) => endorsersBy(grants, path, subjects),
    ...(spec.namespaces === undefined ? {} : { namespaces: spec.namespaces }),
  };
}

export function signerOf(name: string): Signer {
  return { names: [name], key: `SHA256:${name}`, format: 'ssh' };
}
