import { Flags, keyDirectoryFlag } from '../base-command.ts';

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

const fromFileFlag = Flags.string({
  description: "a file from the operator's state directory, for a host without Kubernetes",
  helpValue: 'FILE',
});

export const noCommitFlag = Flags.boolean({ description: 'change the files, and leave the commit to you' });

const instead = { exclusive: ['kubeconfig', 'context'] };

/** Where an operator publishes: its cluster, or a file that was copied from its state directory. */
export const placeFlags = {
  kubeconfig: kubeconfigFlag,
  context: contextFlag,
  namespace: operatorNamespaceFlag,
  'from-file': { ...fromFileFlag, ...instead },
};

const withCollect = { dependsOn: ['collect'] };

/** Those of `recipients add` and `recipients replace`. */
export const addFlags = {
  collect: Flags.boolean({ description: 'fetch the stanzas that the other operator has made' }),
  identity: Flags.string({
    description: 'the identity of the new one, from its owner',
    helpValue: 'coffer-identity-1-…',
  }),
  kubeconfig: { ...kubeconfigFlag, ...withCollect },
  context: { ...contextFlag, ...withCollect },
  namespace: operatorNamespaceFlag,
  'from-file': { ...fromFileFlag, ...instead, ...withCollect },
  'key-dir': keyDirectoryFlag,
  'no-commit': noCommitFlag,
};
