/** What the log can tell: names, commits, key ids and outcomes. No field can hold a value of a secret. */

/** Of any event. */
const ANY = ['sequence', 'time', 'event', 'cluster', 'happened'] as const;
/** Of what is opened or sealed. */
const OPENING = [
  ...['action', 'operation', 'namespace', 'name', 'entries', 'keyIds', 'dataKeyIds', 'workloads', 'recipient'],
  ...['actor', 'reason', 'request', 'source', 'commit', 'author', 'committed', 'accepted', 'signer', 'path'],
] as const;
const FAILURE = ['code', 'message'] as const;

/** Each event, and the fields that its records may have besides those of any. docs/audit.md has them for whoever reads records. */
const OWN_FIELDS = {
  'operator.started': ['actor', 'version'],
  'operator.stopped': ['actor'],
  'commit.accepted': ['source', 'commit', 'author', 'committed', 'basis', 'signer', 'endorsement', 'actor'],
  'commit.refused': ['source', 'commit', ...FAILURE],
  /** A file of a commit is not taken (`commit`), or was `accepted` and nothing is made of it; where it was good before, that stays. */
  'path.refused': ['source', 'commit', 'accepted', 'author', 'path', 'namespace', 'name', 'aspect', ...FAILURE],
  /** An entry was given a sealed text again that it had lost. */
  'value.returned': ['source', 'commit', 'path', 'entries'],
  /** On disk before anything is opened or projected. */
  'secret.intent': OPENING,
  /** How the intent of the same `operation` ended. */
  'secret.outcome': [...OPENING, 'outcome', ...FAILURE],
  /** Somebody asked to read and may not. */
  'read.denied': ['action', 'actor', 'namespace', 'name', 'entries', 'reason', 'count', ...FAILURE],
  /** An opener compared two sealed values of one entry, `from` and `to`: outcome `changed` or `same`. */
  'value.compared': [
    ...['action', 'operation', 'namespace', 'name', 'entries', 'path', 'source', 'commit', 'keyIds', 'dataKeyIds'],
    ...['from', 'to', 'outcome'],
  ],
  /** Of a recipient's key, as this operator made it or found it: `change` says which. */
  'key.changed': [
    ...['change', 'recipient', 'keyIds', 'request', 'reason', 'proposal'],
    ...['source', 'commit', 'author', 'committed', 'signer'],
  ],
  /** A step of a rotation: of a value, whose `operation` joins them, or of a key, which has none. */
  'rotation.step': [
    ...['step', 'outcome', 'operation', 'namespace', 'name', 'entries', 'path', 'source', 'commit', 'rotator'],
    ...['from', 'to', 'proposal', 'branch', 'reason', 'actor', ...FAILURE],
  ],
  /** A committed wish that this operator does not follow. */
  'request.refused': ['recipient', 'request', 'source', 'commit', 'author', 'path', ...FAILURE],
  /** What the operator goes by is another than in the run or at the look before: `aspect` says what, `from` and `to` are digests. */
  'configuration.changed': ['aspect', 'from', 'to'],
  /** A person's word at the operator's command line counts from now on, for `commit`: `aspect` says which (`confirm`). */
  'word.given': ['aspect', 'commit', 'actor'],
  /** A log of its own begins here; what is known of logs before it follows. */
  'log.began': ['origin'],
  /** The newest checkpoint of another log of this cluster, as it was published. */
  'log.witnessed': ['origin', 'checkpoint'],
  'log.recovered': ['count', 'message'],
  /** The disk is full, and the reserve is used. */
  'log.full': FAILURE,
  /** For a time nothing could be recorded: nothing was opened or projected then, or `log.overridden` follows. */
  'log.interrupted': FAILURE,
  /** A person let it go on without the log: what has `happened` since then follows. */
  'log.overridden': ['actor', 'reason', 'until'],
  /** Old records were forgotten, as is configured; their hashes stay. */
  'log.pruned': ['count', 'message'],
} as const satisfies Record<string, readonly (keyof AuditFields)[]>;

export type AuditEvent = keyof typeof OWN_FIELDS;

/** The fields that a record of that event may have. */
export function fieldsOf(event: AuditEvent): ReadonlySet<string> {
  return new Set([...ANY, ...OWN_FIELDS[event]]);
}

/** All of them, in the order in which they are told of. */
export const EVENTS = Object.keys(OWN_FIELDS) as AuditEvent[];

/**
 * `mount`: a pod reads by a volume. `read`: a person reads in an emergency. Both name the reader in `actor`. `rewrap`: data keys are
 * sealed to `recipient`, as a committed request asks, or for a newer key of this operator. `compare`: two sealed values of an entry
 * are opened and compared in memory. `rotate`: an entry is opened or sealed, since it turns over.
 */
export type AuditAction = 'project' | 'prune' | 'heal' | 'mount' | 'read' | 'rewrap' | 'compare' | 'rotate';

/**
 * `made`: in this operator's store. `announced`: published for people. `listed`, `unlisted`: a keyring has it, or has it no more.
 * `retired`, `revoked`: a keyring says so. `archived`: its seed is sealed to the recovery recipient. `deleted`: the store has it no more.
 */
export type KeyChange = 'made' | 'announced' | 'listed' | 'unlisted' | 'retired' | 'revoked' | 'archived' | 'deleted';

/**
 * `made`: the new value is remembered, sealed. `verified`: it works beside the former one. `published`, `pushed`: it is where people
 * merge it. `landed`: git has it. `projected`: it is projected here, and the overlap runs. `retired`: the former one works no more.
 * `done`: nothing of the former one is left. `superseded`, `abandoned`: something else happened to the value. `recovered`: what a lost
 * memory knew of it was found in git.
 */
export type AuditStep =
  | 'made'
  | 'verified'
  | 'published'
  | 'pushed'
  | 'landed'
  | 'projected'
  | 'retired'
  | 'done'
  | 'superseded'
  | 'abandoned'
  | 'recovered';

export type AuditOutcome =
  | 'written'
  /** Opened for the actor of its intent. */
  | 'read'
  | 'unchanged'
  /** Of a comparison: the values differ, or they do not. */
  | 'changed'
  | 'same'
  /** Of a step that projects nothing. */
  | 'done'
  | 'removed'
  | 'retained'
  | 'held'
  /** By a rule or by the cryptography: it will be the same until something changes. */
  | 'refused'
  /** By the machine (a full disk): tried again. */
  | 'failed';

export interface AuditPerson {
  name: string;
  email: string;
}

/**
 * Who asked. `pod` and `user`: as the API server says, a pod by its ServiceAccount, or a person or machine by user name. `host`: a user
 * of the machine that the operator runs on, who called its command line. `operator`: a process of this operator, by its pod or its host.
 */
export interface AuditActor {
  kind: 'pod' | 'user' | 'host' | 'operator';
  /** As in a TokenReview, for instance `system:serviceaccount:NAMESPACE:NAME`; the name of a host's user. An operator has none. */
  user?: string;
  namespace?: string;
  serviceAccount?: string;
  pod?: string;
  podUid?: string;
  /** Of a host's user. */
  uid?: number;
  /** Of an operator on a plain host: the name of that machine. */
  host?: string;
}

/** All that records can say. */
export interface AuditFields {
  action?: AuditAction;
  outcome?: AuditOutcome;
  /** Joins an intent with its outcomes; unique within a log. */
  operation?: string;
  cluster?: string;
  namespace?: string;
  name?: string;
  /** Who reads, for the actions `mount` and `read`; who called the command line; which process started. */
  actor?: AuditActor;
  /** Why, in that person's words: one line of at most 500 characters. */
  reason?: string;
  /** To whom it is sealed from now on, for the action `rewrap`; whose key changed. */
  recipient?: string;
  /** For `key.changed`, whose key is `keyIds[0]`. */
  change?: KeyChange;
  /** Of the file of `.coffer/requests/` that asks for it. */
  request?: string;
  /** NAMESPACE/NAME of those that get it, or that it was taken from. */
  workloads?: string[];
  entries?: string[];
  /** Ids of the recipient's keys that open it; of the key that changed. */
  keyIds?: string[];
  /** Ids of the data keys that are opened, sorted. */
  dataKeyIds?: string[];
  /** Digests of what was and what is: of sealed texts or of files, never of plaintext. */
  from?: string;
  to?: string;
  /** Of a rotation: what is done now, and the one in the operator's configuration that does it. */
  step?: AuditStep;
  rotator?: string;
  /** Id of what was published or pushed for people to merge, and the branch that it was pushed to. */
  proposal?: string;
  branch?: string;
  source?: string;
  commit?: string;
  /** The commit that was accepted then, which has `commit` in its history; `signer` is who signed that, or what endorses it. */
  accepted?: string;
  author?: AuditPerson;
  /** Of the commit, ISO 8601 in UTC. */
  committed?: string;
  /**
   * Why the commit was taken. `signed`: by the policy; `endorsed`: `endorsement` stands for it; `person`: by `coffer-operator
   * accept`; `configured`: it is the first commit that the configuration names; `unsigned`: no signature is needed.
   */
  basis?: 'signed' | 'endorsed' | 'person' | 'configured' | 'unsigned';
  /** Of the commit, its tag or its endorsement; `key`: `SHA256:…`, or an OpenPGP fingerprint. */
  signer?: { names: string[]; key: string };
  /** The commit that endorses it. */
  endorsement?: string;
  /** What of the file is refused; what of the configuration is another: `settings`, `pins`, `policy SOURCE`. */
  aspect?: string;
  /** Of the manifest, from the root of the repository. */
  path?: string;
  /** Of an error: `CofferError.code`. */
  code?: string;
  /** Of an error: `CofferError.message`, or what was recovered. */
  message?: string;
  /** Of `operator.started`: the release. */
  version?: string;
  /** Of another log of this cluster: its origin line, and its newest checkpoint as it was published, a signed note. */
  origin?: string;
  checkpoint?: string;
  /** How many records were forgotten, lost, left out or written late; of `log.recovered`, how many right before it nobody vouches for. */
  count?: number;
  /** Of a leave to go on without the log: until when, ISO 8601 in UTC. */
  until?: string;
  /** When it was, where the log could only take it later; ISO 8601 in UTC. */
  happened?: string;
}

/** One line of the log, with what its event can say, before the log gives it its `sequence` and `time`. */
export type AuditRecord<Event extends AuditEvent = AuditEvent> = {
  [Each in Event]: { event: Each } & Pick<AuditFields, 'cluster' | 'happened' | (typeof OWN_FIELDS)[Each][number]>;
}[Event];

export type IntentRecord = AuditRecord<'secret.intent'>;
export type OutcomeRecord = AuditRecord<'secret.outcome'>;

/** A record of whatever event, for whoever reads: it may have any field. */
export interface AnyRecord extends AuditFields {
  event: AuditEvent;
}

/** A record as it stands in the log. */
export interface AuditLine extends AnyRecord {
  /** Counts from 1, without gaps. */
  sequence: number;
  /** When it was written, ISO 8601 in UTC. */
  time: string;
}
