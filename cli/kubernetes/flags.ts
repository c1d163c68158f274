import { Flags } from '../base-command.ts';

/** Flags of the commands that ask a cluster, as kubectl's. */
export const kubeconfigFlag = Flags.string({
  description: 'how the cluster is reached (default: KUBECONFIG, else ~/.kube/config)',
  helpValue: 'FILE',
});

export const contextFlag = Flags.string({
  description: 'which context of the kubeconfig (default: the current one)',
  helpValue: 'NAME',
});

export const operatorNamespaceFlag = Flags.string({
  description: 'where the operator runs',
  helpValue: 'NAMESPACE',
  default: 'coffer-system',
});

export const fromFileFlag = Flags.string({
  description: "a file from the operator's state directory, for a host without Kubernetes",
  helpValue: 'FILE',
});

export const noCommitFlag = Flags.boolean({ description: 'change the files, and leave the commit to you' });
