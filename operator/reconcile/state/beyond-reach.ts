import { CofferError } from '../../../core/errors.ts';
import type { Manifest } from '../../../core/format/manifest/manifest.ts';
import type { ReachRule } from '../../../core/trust/policy/reach-rule.ts';
import { keyOf } from '../../project/namespaced-name.ts';

/**
 * A manifest that names a namespace where its source, or its path, may not write: it claims nothing anywhere. Judged here too and
 * not only where commits are, for the rule may be newer than the commit.
 */
export function beyondReach(manifest: Manifest, reach: ReachRule): [[Manifest, CofferError]] | undefined {
  const { namespace, name, file, line, binding, namespaces } = manifest;
  const wanted = [namespace, ...(binding.scope === 'cluster' ? namespaces : [])];
  const refused = wanted.find((one) => !reach.allows(file, one));
  if (refused === undefined) return undefined;
  const error = new CofferError(
    'MANIFEST_NAMESPACE_REFUSED',
    `${keyOf(namespace, name)} would write to ${refused}, where manifests of this path may not`,
    {
      advice: "Move it to a path that may, or change `namespaces` of the source or of the operator's trust policy.",
      data: { file, line, namespace, name },
    },
  );
  return [[manifest, error]];
}
