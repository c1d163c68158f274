import type { Subject } from '../../schemas/trust-policy.ts';
import { CofferError } from '../errors.ts';
import type { Commit } from '../git/repository.ts';
import { SEPARATOR } from './aspects/aspects.ts';
import type { Outstanding } from './history/violation.ts';
import type { Policy } from './policy/policy.ts';
import { printable } from './printable.ts';
import type { Refusal } from './verdict.ts';

/** Named in a message; the others are counted. */
const MOST_NAMED = 3;

/** Those of one commit in one file for one reason are one refusal. */
export function groupRefusals(
  bad: Iterable<Outstanding>,
  commitOf: (oid: string) => Commit,
  policy: Policy | undefined,
  signerOf: (oid: string) => string | undefined,
): Refusal[] {
  const groups = Map.groupBy(bad, ({ path, commit, rule, subjects, detail }) =>
    JSON.stringify([path, commit, rule, rule === 'grant' ? subjects[0] : '', detail]),
  );
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined ? [] : refusal(first, group, commitOf(first.commit), policy, signerOf(first.commit));
  });
}

function refusal(
  first: Outstanding,
  group: readonly Outstanding[],
  commit: Commit,
  policy: Policy | undefined,
  signer: string | undefined,
): Refusal {
  const aspect = printable(aspectText(group));
  const path = first.path;
  const what = aspect === 'the file' ? printable(path) : `${aspect} in ${printable(path)}`;
  const made = `${first.commit.slice(0, 12)} by ${printable(commit.author.name)} <${printable(commit.author.email)}>`;
  const subject = subjectOf(first);
  const { code, message, advice } = TEXTS[first.rule]({
    what,
    made,
    first,
    subjects: subjectsOf(group),
    policy,
    signer,
  });
  const error = new CofferError(code, message, { advice, data: { commit: first.commit, path }, exit: 1, loop: 'wait' });
  const { name, email } = commit.author;
  return { path, aspect, subject, commit: first.commit, author: { name, email }, error };
}

/** Each manifest once, with what of it; stanzas go without saying where their values are named. */
function aspectText(group: readonly Outstanding[]): string {
  const isOfValues = group.some(({ aspect }) => aspect.includes(`${SEPARATOR}spec.data.`));
  const told = group.filter(
    ({ aspect }) => aspect !== '' && !(isOfValues && aspect.includes(`${SEPARATOR}spec.keys.`)),
  );
  if (told.length === 0) return 'the file';
  const byManifest = Map.groupBy(told, ({ label }) => label.split(' ')[0] ?? '');
  return [...byManifest]
    .map(([manifest, own]) => {
      const fields = new Set(own.flatMap(({ label }) => label.split(' ').slice(1).join(' ') || []));
      return `${manifest} ${listed([...fields])}`.trim();
    })
    .join('; ');
}

function subjectOf({ rule, subjects }: Outstanding): Refusal['subject'] {
  if (rule === 'namespace') return 'namespace';
  if (rule === 'old-data-key' || rule === 'return') return 'data-key';
  return (rule === 'grant' ? subjects[0] : undefined) ?? 'signature';
}

/** Of the file itself every signer may say what he likes; the rest is what its endorser needs a grant for. */
function subjectsOf(group: readonly Outstanding[]): readonly Subject[] {
  return group.find(({ subjects }) => subjects.length > 0)?.subjects ?? [];
}

interface Told {
  what: string;
  /** Commit and author. */
  made: string;
  first: Outstanding;
  /** The right to any of these would do; none: a signature. */
  subjects: readonly Subject[];
  policy: Policy | undefined;
  signer: string | undefined;
}

type Text = (told: Told) => { code: string; message: string; advice: string };

const TEXTS: Record<Outstanding['rule'], Text> = {
  signature: (told) => {
    const { what, made, first } = told;
    const [code = '', ...words] = (first.detail ?? 'TRUST_UNSIGNED').split(' ');
    const isUnsigned = code === 'TRUST_UNSIGNED';
    const why = isUnsigned ? 'no signature' : `a signature that does not count (${code}: ${words.join(' ')})`;
    return {
      code: isUnsigned ? 'TRUST_UNSIGNED' : 'TRUST_SIGNATURE',
      message: `the commit ${made} changes ${what} and has ${why}`,
      advice: `Revert it with a signed commit, sign it again if nobody has it yet (\`git commit --amend -S\`), or have ${whoEndorses(told)} run \`coffer endorse ${first.commit}\`.`,
    };
  },
  grant: (told) => {
    const { what, made, first, policy, signer } = told;
    const subject = first.subjects[0] ?? 'values';
    const signed = signer === undefined ? 'its signer' : printable(signer);
    return {
      code: 'TRUST_NOT_GRANTED',
      message: `the commit ${made} changes ${what}, and ${signed} may not change ${PHRASES[subject]} there`,
      advice: `Revert it, or have ${whoMay(policy, first, subject)} make the change; or have ${whoEndorses(told)} run \`coffer endorse ${first.commit}\`.`,
    };
  },
  'old-data-key': ({ what, made, first }) => ({
    code: 'TRUST_OLD_DATA_KEY',
    message: `the commit ${made} gives ${what} a new ciphertext under the data key ${first.detail ?? ''}, which an earlier commit brought`,
    advice: 'Revert it, and give the value again with `coffer set`: values of one run belong in one commit.',
  }),
  return: ({ what, made, first }) => ({
    code: 'TRUST_RETURN_EXPOSED',
    message: `the commit ${made} takes ${what} back to a former ciphertext, whose data key ${first.detail ?? ''} was sealed to a key that is revoked`,
    advice: 'Revert it, and give the entry a new value with `coffer set`.',
  }),
  namespace: ({ what, made, first }) => ({
    code: 'TRUST_NAMESPACE',
    message: `the commit ${made} lets ${what} write to the namespace ${printable(first.detail ?? '')}, to which manifests of that path may not write`,
    advice:
      'Revert it, move the manifest to a path from which that is allowed, or allow it in `namespaces` of the policy or the source.',
  }),
  'rolled-back': ({ what, made }) => ({
    code: 'TRUST_ROLLED_BACK',
    message: `the commit ${made} merges an older state of ${what} over a newer one, and no commit says that this is meant`,
    advice: 'Revert the merge, and merge again from the branch that operators follow.',
  }),
};

/** What a subject of a grant means, after "may not change". */
const PHRASES: Record<Subject, string> = {
  values: 'values',
  stanzas: 'stanzas',
  readers: 'readers',
  recipients: 'recipients',
  namespaces: 'scope and namespaces',
  type: 'type and projection',
  template: 'templates',
  rotation: 'the rotation',
  deletionPolicy: 'the deletionPolicy',
  removal: 'whether manifests stay (removal)',
  keyring: 'the keyring',
  rules: 'the rules of .coffer/',
  requests: 'requests',
  endorse: 'endorsements',
};

function whoEndorses({ policy, first, subjects }: Told): string {
  const both = subjects.length === 0 ? '`endorse`' : `both \`${subjects[0]}\` and \`endorse\``;
  return named(
    policy?.whoEndorses(first.path, subjects) ?? [],
    `somebody to whom the policy grants ${both} (nobody yet)`,
  );
}

function whoMay(policy: Policy | undefined, { path }: Outstanding, subject: Subject): string {
  return named(
    policy?.whoMay(path, subject) ?? [],
    `somebody to whom the policy grants \`${subject}\` there (nobody yet)`,
  );
}

function named(names: readonly string[], nobody: string): string {
  if (names.includes('*')) return 'any signer';
  return names.length === 0 ? nobody : printable(listed(names));
}

function listed(names: readonly string[]): string {
  const more = names.length - MOST_NAMED;
  return more <= 1 ? names.join(', ') : `${names.slice(0, MOST_NAMED).join(', ')} and ${more} more`;
}
