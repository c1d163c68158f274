import type { OperatorConfig } from '../../schemas/operator-config.ts';

export type GitConfig = NonNullable<OperatorConfig['sources'][number]['git']>;
export type RotatorConfig = NonNullable<NonNullable<OperatorConfig['rotation']>['rotators']>[number];
export type DirectoryConfig = NonNullable<OperatorConfig['projections'][number]['directory']>;

/** Where the operator's secret keys are. */
export type KeyPlace =
  | { kind: 'directory'; directory: string }
  /** In the operator's own namespace. */
  | { kind: 'kubernetesSecret'; name: string }
  | { kind: 'command'; run: readonly string[]; timeout: number };

export interface KubernetesSettings {
  kubeconfig?: string;
  context?: string;
  /** The operator's own; absent: its pod's. */
  namespace?: string;
  leaderElection: { lease: string; duration: number };
}

export interface Address {
  host: string;
  port: number;
}

/** EncryptedSecret objects that others apply; names and globs. */
export interface ObjectsSettings {
  namespaces: readonly string[];
  unverified: readonly string[];
}

export interface SecretsSettings {
  /** Names and globs. */
  namespaces: readonly string[];
  readers: boolean;
  restart: boolean;
  resync: number;
}

export interface VolumesSettings {
  namespaces: readonly string[];
  listen: Address;
  names?: readonly string[];
}

export interface WebhooksSettings {
  listen: Address;
  tls?: { certFile: string; keyFile: string };
}

/** The operator's configuration with its defaults; paths are absolute, durations in milliseconds. */
export interface OperatorSettings {
  /** The recipient that this operator opens for. */
  cluster: string;
  stateDirectory: string;
  pinsFile: string;
  keys: KeyPlace;
  audit: {
    directory: string;
    /** Each record is a line of the output as well. */
    stdout: boolean;
    /** Older records are forgotten; absent: none. */
    keep?: number;
  };
  rotation: {
    /** How long a key that is retired stays at least. */
    grace: number;
    rotators: readonly RotatorConfig[];
  };
  /** Present where anything of Kubernetes is configured. */
  kubernetes?: KubernetesSettings;
  sources: { git: GitConfig; interval: number }[];
  /** Where forges say that something was pushed. */
  webhooks?: WebhooksSettings;
  objects?: ObjectsSettings;
  directories: DirectoryConfig[];
  secrets?: SecretsSettings;
  volumes?: VolumesSettings;
  /** Between looks at what others changed: the shortest that a projection asks for. */
  heal: number;
  /** A commit that removes a larger share of the secrets is held. */
  maxShare: number;
  listen: Address;
}
