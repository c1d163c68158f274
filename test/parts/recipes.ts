/** Where each real program comes from when neither a variable nor the PATH names one. */

export type PartName =
  | 'ejson'
  | 'sops'
  | 'age'
  | 'age-keygen'
  | 'kubeseal'
  | 'controller'
  | 'git-http-backend'
  | 'git'
  | 'go'
  | 'gpg'
  | 'openssl'
  | 'ssh-keygen';

/** Built from the go.mod and go.sum in `test/parts/MODULE/`, which pin every byte of it. */
export interface GoRecipe {
  kind: 'go';
  module: string;
  package: string;
}

/** Nothing to build: `installed` says what brings it, `folders` where it stands besides the PATH. */
export interface InstalledRecipe {
  kind: 'installed';
  installed: string;
  folders?: string[];
}

export const RECIPES: Record<PartName, GoRecipe | InstalledRecipe> = {
  ejson: { kind: 'go', module: 'ejson', package: 'github.com/Shopify/ejson/cmd/ejson' },
  sops: { kind: 'go', module: 'sops', package: 'github.com/getsops/sops/v3/cmd/sops' },
  age: { kind: 'go', module: 'age', package: 'filippo.io/age/cmd/age' },
  'age-keygen': { kind: 'go', module: 'age', package: 'filippo.io/age/cmd/age-keygen' },
  kubeseal: { kind: 'go', module: 'sealed-secrets', package: 'github.com/bitnami/sealed-secrets/cmd/kubeseal' },
  controller: { kind: 'go', module: 'sealed-secrets', package: 'github.com/bitnami/sealed-secrets/cmd/controller' },
  'git-http-backend': {
    kind: 'installed',
    installed: 'apt-get install git',
    folders: ['/usr/lib/git-core', '/usr/libexec/git-core'],
  },
  git: { kind: 'installed', installed: 'apt-get install git' },
  go: {
    kind: 'installed',
    installed: 'Go 1.26 or later, from go.dev or your distribution',
    folders: ['/usr/local/go/bin', '/usr/lib/go/bin'],
  },
  gpg: { kind: 'installed', installed: 'apt-get install gnupg' },
  openssl: { kind: 'installed', installed: 'apt-get install openssl' },
  'ssh-keygen': { kind: 'installed', installed: 'apt-get install openssh-client' },
};
