/** Where each real program comes from when neither a variable nor the PATH names one. */

/** Built from the go.mod and go.sum in `test/parts/MODULE/`, which pin every byte of it. */
export interface GoRecipe {
  kind: 'go';
  module: string;
  package: string;
  /** Go variable that gets the pinned version of a module, where the program would otherwise not know its own. */
  stamp?: { variable: string; version: string };
  /** Folders of a module that the program reads when it runs; they come to stand beside it. */
  beside?: { module: string; folders: readonly string[] };
  /** How a program on the PATH says its version, and which are taken: older ones do not understand what we tell them. */
  onPath?: { ask: readonly string[]; says: RegExp };
}

/** Nothing to build: `installed` says what brings it, `folders` where it stands besides the PATH. */
export interface InstalledRecipe {
  kind: 'installed';
  installed: string;
  folders?: string[];
}

/** Unstamped it says v0.0.0, which charts with a `kubeVersion` refuse. */
const STAMP = { variable: 'k8s.io/component-base/version.gitVersion', version: 'k8s.io/kubernetes' };
const GITEA = 'code.gitea.io/gitea';
const CONTAINERD = 'github.com/containerd/containerd/v2';

const kubernetes = (name: string): GoRecipe => ({
  kind: 'go',
  module: 'kubernetes',
  package: `k8s.io/kubernetes/cmd/${name}`,
  stamp: STAMP,
});
const containerd = (name: string): GoRecipe => ({
  kind: 'go',
  module: 'containerd',
  package: `${CONTAINERD}/cmd/${name}`,
  onPath: { ask: ['--version'], says: /containerd\/v2 |Version: +2\./ },
});
const installed = (how: string, folders: string[] = []): InstalledRecipe => ({
  kind: 'installed',
  installed: how,
  folders,
});

export const RECIPES = {
  ejson: { kind: 'go', module: 'ejson', package: 'github.com/Shopify/ejson/cmd/ejson' },
  sops: { kind: 'go', module: 'sops', package: 'github.com/getsops/sops/v3/cmd/sops' },
  age: { kind: 'go', module: 'age', package: 'filippo.io/age/cmd/age' },
  'age-keygen': { kind: 'go', module: 'age', package: 'filippo.io/age/cmd/age-keygen' },
  kubeseal: { kind: 'go', module: 'sealed-secrets', package: 'github.com/bitnami/sealed-secrets/cmd/kubeseal' },
  controller: { kind: 'go', module: 'sealed-secrets', package: 'github.com/bitnami/sealed-secrets/cmd/controller' },
  etcd: { kind: 'go', module: 'kubernetes', package: 'go.etcd.io/etcd/server/v3' },
  'kube-apiserver': kubernetes('kube-apiserver'),
  'kube-controller-manager': kubernetes('kube-controller-manager'),
  kubelet: kubernetes('kubelet'),
  kubectl: { ...kubernetes('kubectl'), onPath: { ask: ['version', '--client'], says: /v1\.(3[4-9]|[4-9]\d)\./ } },
  containerd: containerd('containerd'),
  'containerd-shim-runc-v2': containerd('containerd-shim-runc-v2'),
  ctr: containerd('ctr'),
  loopback: {
    kind: 'go',
    module: 'containerd',
    package: 'github.com/containernetworking/plugins/plugins/main/loopback',
  },
  'csi-sanity': { kind: 'go', module: 'csi-sanity', package: 'github.com/kubernetes-csi/csi-test/v5/cmd/csi-sanity' },
  helm: { kind: 'go', module: 'helm', package: 'helm.sh/helm/v4/cmd/helm' },
  gitea: {
    kind: 'go',
    module: 'gitea',
    package: GITEA,
    stamp: { variable: 'main.Version', version: GITEA },
    beside: { module: GITEA, folders: ['templates', 'options', 'public'] },
    onPath: { ask: ['--version'], says: /version v?1\.26\./ },
  },
  runc: installed('apt-get install runc', ['/usr/sbin', '/usr/local/sbin']),
  busybox: installed('apt-get install busybox-static', ['/bin']),
  'git-http-backend': installed('apt-get install git', ['/usr/lib/git-core', '/usr/libexec/git-core']),
  git: installed('apt-get install git'),
  go: installed('Go 1.26 or later, from go.dev or your distribution', ['/usr/local/go/bin', '/usr/lib/go/bin']),
  gpg: installed('apt-get install gnupg'),
  lua: installed('apt-get install lua5.4'),
  openssl: installed('apt-get install openssl'),
  'ssh-keygen': installed('apt-get install openssh-client'),
} satisfies Record<string, GoRecipe | InstalledRecipe>;

export type PartName = keyof typeof RECIPES;
