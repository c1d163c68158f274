import { CofferError } from '../../core/errors.ts';
import type { ClusterChoice } from '../kubernetes/cluster.ts';

/** Where an operator publishes: beside itself in a cluster, or a file that was copied from its state directory. */
export type PublishedPlace = { file: string } | (ClusterChoice & { namespace: string });

/** As the flags of `placeFlags` say. Throws PUBLISHED_FROM_WHERE where they name no place. */
export function publishedPlace(flags: {
  'from-cluster': boolean;
  'from-file'?: string | undefined;
  kubeconfig?: string | undefined;
  context?: string | undefined;
  namespace: string;
}): PublishedPlace {
  const file = flags['from-file'];
  if (file !== undefined) return { file };
  if (flags['from-cluster']) return flags;
  throw new CofferError('PUBLISHED_FROM_WHERE', 'It is not said where the operator keeps what it made.', {
    advice: "Use --from-cluster, or --from-file with a file of the operator's state directory.",
    exit: 2,
  });
}
