import { CofferError, type ErrorData } from '../../core/errors.ts';
import { matches } from '../../core/format/manifest/reach.ts';
import type { OperatorConfig } from '../../schemas/operator-config.ts';

/** Parts that each are right and together cannot be meant: what would silently do nothing is said. Throws `CONFIG_CONTRADICTION`. */
export function refuseContradictions(config: OperatorConfig, at: ErrorData): void {
  const { kubernetes, sources, projections } = config;
  refuseDeafWebhooks(config, at);
  refuseTrustInNobody(config, at);
  refusePushToNowhere(config, at);
  const objects = sources.flatMap(({ encryptedSecrets }) => encryptedSecrets ?? []);
  const isVouching = sources.some(({ git }) => git?.carriedBy === 'objects');
  if (isVouching && objects.length === 0) {
    throw contradiction(
      'A git source has `carriedBy: objects`, and no source looks at EncryptedSecret objects, so nothing of it would be projected.',
      'Add `encryptedSecrets: {namespaces: [...]}` to sources, or leave carriedBy out.',
      at,
    );
  }
  const unseen = objects.flatMap(({ namespaces, unverified = [] }) =>
    unverified.filter((name) => !namespaces.some((pattern) => pattern === name || matches(pattern, name))),
  );
  if (unseen.length > 0) {
    throw contradiction(
      `Objects of ${unseen.join(', ')} are allowed without a commit, but nobody looks at objects there.`,
      'Add the namespace to encryptedSecrets.namespaces, or take it out of unverified.',
      at,
    );
  }
  const isProjected = projections.some(({ kubernetesSecrets, volumes }) => kubernetesSecrets ?? volumes);
  if (objects.length > 0 && !isProjected && !projections.some(({ directory }) => directory?.workloads.length)) {
    throw contradiction(
      'EncryptedSecret objects are looked at, and nothing is projected anywhere.',
      'Add `kubernetesSecrets` or `volumes` to projections.',
      at,
    );
  }
  if (kubernetes?.context !== undefined && kubernetes.kubeconfig === undefined) {
    throw contradiction(
      'A context is named without the kubeconfig that has it.',
      'Add kubernetes.kubeconfig, or leave the context out.',
      at,
    );
  }
}

/** A forge that tells nobody, or nobody that a forge tells. */
function refuseDeafWebhooks({ sources, serve }: OperatorConfig, at: ErrorData): void {
  const isTold = sources.some(({ git }) => git?.webhook !== undefined);
  if (isTold && serve?.webhooks === undefined) {
    throw contradiction(
      'A git source has a webhook, and no port is opened for it.',
      'Add `webhooks: {listen: "0.0.0.0:8785"}` to serve, or leave webhook out.',
      at,
    );
  }
  if (serve?.webhooks !== undefined && !isTold) {
    throw contradiction(
      'A port is opened for webhooks, and no git source has one.',
      'Add `webhook: {from: github, secretFile: …}` to a git source, or leave serve.webhooks out.',
      at,
    );
  }
  if ((serve?.webhooks?.certFile === undefined) !== (serve?.webhooks?.keyFile === undefined)) {
    throw contradiction(
      'The webhooks have a certificate without its key, or a key without its certificate.',
      'Give both certFile and keyFile in serve.webhooks, or neither.',
      at,
    );
  }
}

function contradiction(message: string, advice: string, data: ErrorData): CofferError {
  return new CofferError('CONFIG_CONTRADICTION', message, { advice, data });
}

function refuseTrustInNobody({ sources }: OperatorConfig, at: ErrorData): void {
  for (const { git } of sources) {
    const { mode = 'off', policy } = git?.trust ?? {};
    if (mode === 'off' || policy !== undefined) continue;
    throw contradiction(
      `A git source has the trust mode ${mode} and no policy that says who the signers are, so nothing of it would be taken.`,
      'Name a file of kind TrustPolicy in trust.policy.',
      at,
    );
  }
}

function refusePushToNowhere({ sources }: OperatorConfig, at: ErrorData): void {
  if (!sources.some(({ git }) => git?.tag !== undefined && git.push !== undefined && git.push.branch === undefined))
    return;
  throw contradiction(
    'A git source follows tags and may push, and nothing says to which branch.',
    'Add `branch` to push: one of the operator’s own, from which people merge.',
    at,
  );
}
