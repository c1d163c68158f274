/** Where an operator in a cluster publishes what others fetch, all of it public; `coffer` looks for it there. */

/** Beside the operator: who this cluster is. */
export const RECIPIENT_CONFIG_MAP = 'coffer-recipient';
/** Its fields: a file of the keyring, and from it the name and the identity. */
export const RECIPIENT_FIELDS = { file: 'recipient.yaml', cluster: 'cluster', identity: 'identity' } as const;

/** Beside the operator: the authorities that vouch for its TLS server, and the name to check the server's certificate for. */
export const SERVING_CONFIG_MAP = 'coffer-serving-ca';
/** Of tokens that are good for nothing but break-glass, where somebody's credentials are no token: `kubectl create token --audience`. */
export const BREAK_GLASS_AUDIENCE = 'break-glass.coffer.dev';

/** On each ConfigMap that holds a part of what was made of a request; its value is the request's id. */
export const REQUEST_LABEL = 'coffer.dev/request';
/** On each ConfigMap that holds a part of a proposal (core/rotation/proposal.ts); its value is the proposal's id. */
export const PROPOSAL_LABEL = 'coffer.dev/proposal';
/** The field with the part. */
export const PART_FIELD = 'part.json';
