import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { CofferError } from '../../core/errors.ts';
import { readDocuments } from '../../core/format/document/document.ts';
import { schemaProblems } from '../../core/format/document/document-schema.ts';
import { pathParts } from '../../core/git/trees/path.ts';
import type { JudgeInput } from '../../core/trust/judge.ts';
import { readPolicy } from '../../core/trust/policy/policy.ts';
import type { OperatorConfig } from '../../schemas/operator-config.ts';

/** What commits are judged by, as an operator would. */
export type TrustFile = Pick<JudgeInput, 'mode' | 'policy' | 'namespaces' | 'path'>;

/**
 * Reads a TrustPolicy (then every commit has to be signed), or the configuration of an operator with one git source that
 * has a `trust`. Throws TRUST_FILE_KIND, TRUST_FILE_SOURCES, and what is wrong with the policy.
 */
export async function readTrustFile(file: string): Promise<TrustFile> {
  const [document, ...others] = readDocuments(await readFile(file), file).documents;
  if (document === undefined || others.length > 0) throw wrongKind(file);
  if (document.kind === 'TrustPolicy') return { mode: 'strict', policy: await readPolicy(file), path: '' };
  if (document.kind !== 'OperatorConfig') throw wrongKind(file);
  const [problem] = schemaProblems(document);
  if (problem !== undefined) throw problem;
  const found = (document.value as OperatorConfig).sources.flatMap(({ git }) =>
    git?.trust === undefined ? [] : [{ git, trust: git.trust }],
  );
  const [source] = found;
  if (source === undefined || found.length > 1) throw wrongSources(file, found.length);
  const { git, trust } = source;
  // As the operator takes it: from the folder of its configuration.
  const policy = trust.policy === undefined ? undefined : await readPolicy(resolve(dirname(file), trust.policy));
  return {
    mode: trust.mode,
    ...(policy === undefined ? {} : { policy }),
    ...(git.namespaces === undefined ? {} : { namespaces: git.namespaces }),
    path: pathParts(git.path ?? '')?.join('/') ?? '',
  };
}

function wrongKind(file: string): CofferError {
  return new CofferError('TRUST_FILE_KIND', 'this file is neither a TrustPolicy nor an OperatorConfig', {
    advice:
      'Give the file that `trust.policy` of the operator’s source names, or its configuration; docs/trust.md shows both.',
    data: { file, line: 1 },
    exit: 2,
  });
}

function wrongSources(file: string, count: number): CofferError {
  const what = count === 0 ? 'has no git source with `trust`' : `has ${count} git sources with \`trust\``;
  return new CofferError('TRUST_FILE_SOURCES', `this configuration ${what}; commits are judged by one`, {
    advice: 'Give the TrustPolicy of the source instead.',
    data: { file },
    exit: 2,
  });
}
