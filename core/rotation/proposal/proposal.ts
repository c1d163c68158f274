/**
 * What an operator wants changed in the repository. All of it is public: keys, stanzas and sealed values. The operator applies it to
 * the newest commit where it may push; else it is published, and a person or CI applies it (`coffer recipients rewrap`, `coffer
 * rotate --collect`). A key is endorsed, and a stanza that is wrong does not open; but anybody can seal a value that they know, so what
 * is published is signed by the cluster's identity.
 */
export interface Proposal {
  /** Safe as a file name and as a label: `rewrap-RECIPIENT`, `values-CLUSTER`. */
  id: string;
  /** Who made it. */
  cluster: string;
  /** Of the newest accepted state that was looked at. */
  commit: string;
  /** A file of the keyring as it should be, as text: its newest key, and what became of the former one. */
  recipient?: { name: string; text: string };
  /** Data key id → recipient → `KID:b64u`: for data keys that the repository has, and for those of `values`. */
  stanzas: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Group → id of the group's key → `KID:b64u`: its seed for `cluster`, which is a member. */
  seeds?: ReadonlyMap<string, ReadonlyMap<string, string>>;
  values: readonly ProposedValue[];
  /** Ids of committed requests that are done with, whose files go. */
  fulfils: readonly string[];
  /** Manifests for which nothing could be made: path → why. */
  refused: ReadonlyMap<string, string>;
}

/**
 * An entry of a manifest, in a state that was made elsewhere. All values of one manifest are applied together or not at all: a value
 * and its `.previous` belong together.
 */
export interface ProposedValue {
  /** From the root of the repository. */
  path: string;
  namespace: string;
  name: string;
  entry: string;
  /** The sealed text that it replaces; absent: there was no such entry. Where the file has another by then, somebody was faster: it stays. */
  former?: string;
  /** `CF[1:…]`; absent: the entry goes. */
  text?: string;
}

/** What applying needs of a commit's files. */
export interface ProposalBase {
  /** Undefined: there is no such file. Path from the root. */
  read(path: string): Promise<Buffer | undefined>;
  /** Paths of files that may name these data keys. */
  naming(dataKeyIds: ReadonlySet<string>): Promise<readonly string[]>;
}
