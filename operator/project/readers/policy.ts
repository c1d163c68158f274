import { CONTAINER_FIELDS, POD_FIELDS, type ReferenceField, VOLUME_FIELDS } from './pod-references.ts';

/**
 * The admission policies that let nobody but a Secret's readers refer to it, written from the table of reference fields
 * (ValidatingAdmissionPolicy, KEP-3488). One SecretReaders object a namespace is their parameter, so that what a request
 * costs does not grow with the number of Secrets: each is looked up in a map.
 *
 * They fail closed: an expression that runs out of its cost limit must not be a way around the policy. Therefore nothing is
 * judged that cannot bring a new reference: a pod's references are immutable (only its creation and its ephemeral
 * containers are judged), a workload's update only where its pod template is another one.
 */

interface PolicyOptions {
  name: string;
  rules: { apiGroup: string; version: string; resources: string[] }[];
  operations: ('CREATE' | 'UPDATE')[];
  /** CEL: the PodSpec in the object, and where it was before. */
  podAt: string;
  isEphemeral?: boolean;
}

const POLICIES: readonly PolicyOptions[] = [
  {
    name: 'coffer-readers-pods',
    rules: [{ apiGroup: '', version: 'v1', resources: ['pods'] }],
    operations: ['CREATE'],
    podAt: '.spec',
  },
  {
    name: 'coffer-readers-ephemeral-containers',
    rules: [{ apiGroup: '', version: 'v1', resources: ['pods/ephemeralcontainers'] }],
    operations: ['UPDATE'],
    podAt: '.spec',
    isEphemeral: true,
  },
  {
    name: 'coffer-readers-workloads',
    rules: [
      { apiGroup: '', version: 'v1', resources: ['replicationcontrollers'] },
      { apiGroup: 'apps', version: 'v1', resources: ['deployments', 'statefulsets', 'daemonsets', 'replicasets'] },
      { apiGroup: 'batch', version: 'v1', resources: ['jobs'] },
    ],
    operations: ['CREATE', 'UPDATE'],
    podAt: '.spec.template.spec',
  },
  {
    name: 'coffer-readers-cronjobs',
    rules: [{ apiGroup: 'batch', version: 'v1', resources: ['cronjobs'] }],
    operations: ['CREATE', 'UPDATE'],
    podAt: '.spec.jobTemplate.spec.template.spec',
  },
];

/** The control plane's own pods come up whatever state this policy is in. */
const EXEMPT_NAMESPACES = ['kube-system', 'kube-public', 'kube-node-lease'];

export const POLICY_NAMES: readonly string[] = POLICIES.map(({ name }) => name);

/** The policies and their bindings, as objects for YAML. */
export function policyObjects(): object[] {
  return POLICIES.flatMap((policy) => [policyObject(policy), bindingObject(policy)]);
}

function policyObject({ name, rules, operations, podAt, isEphemeral = false }: PolicyOptions): object {
  const isTemplate = operations.length > 1;
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name },
    spec: {
      failurePolicy: 'Fail',
      paramKind: { apiVersion: 'coffer.dev/v1', kind: 'SecretReaders' },
      matchConstraints: {
        resourceRules: rules.map(({ apiGroup, version, resources }) => ({
          apiGroups: [apiGroup],
          apiVersions: [version],
          operations,
          resources,
        })),
        // Here and not in the binding, which is not looked at where the policy itself cannot be set up (its kind is gone).
        namespaceSelector: {
          matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: EXEMPT_NAMESPACES }],
        },
      },
      ...(isTemplate ? { matchConditions: [templateChanged(podAt)] } : {}),
      variables: [
        { name: 'pod', expression: `object${podAt}` },
        { name: 'account', expression: ACCOUNT },
        { name: 'secrets', expression: 'params.spec.secrets' },
        ...(isEphemeral
          ? [{ name: 'containers', expression: NEW_EPHEMERAL_CONTAINERS }]
          : [
              { name: 'containers', expression: CONTAINERS },
              { name: 'volumes', expression: 'variables.pod.?volumes.orValue([])' },
            ]),
        { name: 'references', expression: references(isEphemeral) },
        { name: 'denied', expression: DENIED },
      ],
      validations: [
        {
          expression: 'variables.denied.all(group, size(group) == 0)',
          reason: 'Forbidden',
          message:
            'The ServiceAccount may not read a Secret that is referred to. SecretReaders "coffer" of the namespace says who may.',
          messageExpression: MESSAGE,
        },
      ],
    },
  };
}

function bindingObject({ name }: PolicyOptions): object {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name },
    spec: {
      policyName: name,
      // Without `paramRef.namespace`: the object of the request's own. A namespace that has none holds no Secret of ours.
      paramRef: { name: 'coffer', parameterNotFoundAction: 'Allow' },
      validationActions: ['Deny'],
    },
  };
}

/** Scaling, status, labels, finalizers, and the annotation by which a rollout is started pass without a look. */
function templateChanged(podAt: string): object {
  const [first = '', ...rest] = podAt.slice(1).split('.');
  const optional = [first, ...rest.map((step) => `?${step}`)].join('.');
  return {
    name: 'pod-template-changed',
    expression: lines(
      "request.operation == 'CREATE' ||",
      `(!has(object.metadata.deletionTimestamp) && object.${optional} != oldObject.${optional})`,
    ),
  };
}

const ACCOUNT = lines(
  "variables.pod.?serviceAccountName.orValue('') == ''",
  "? 'default' : variables.pod.serviceAccountName",
);

const CONTAINERS = 'variables.pod.containers + variables.pod.?initContainers.orValue([])';

/** They are only ever added; those before were judged when they came. */
const NEW_EPHEMERAL_CONTAINERS = lines(
  'variables.pod.?ephemeralContainers.orValue([]).filter(container,',
  '  !oldObject.spec.?ephemeralContainers.orValue([]).exists(old, old.name == container.name))',
);

/** Lists of `{secret: [NAME], entries: [KEY…]}`, without entries where it is the whole Secret. */
function references(isEphemeral: boolean): string {
  const containers = CONTAINER_FIELDS.map((field) => nestedReferences('variables.containers', 'c', field));
  if (isEphemeral) return containers.join(' +\n');
  const pullSecrets = POD_FIELDS.map(({ at, ...field }) =>
    flatReferences(`variables.pod.?${at.replace('[]', '')}.orValue([])`, 'p', { ...field, at: '' }),
  );
  const volumes = VOLUME_FIELDS.map((field) =>
    field.at.includes('[]')
      ? nestedReferences('variables.volumes', 'v', field)
      : `[${flatReferences('variables.volumes', 'v', field)}]`,
  );
  return [...pullSecrets.map((list) => `[${list}]`), ...volumes, ...containers].join(' +\n');
}

/** For each item of a list that has the field: CEL of a list. */
function flatReferences(list: string, item: string, { at, name, entries }: ReferenceField): string {
  const steps = at === '' ? [] : at.split('.');
  const reference = [item, ...steps].join('.');
  const present = steps.map((_, index) => `has(${[item, ...steps.slice(0, index + 1)].join('.')})`).join(' && ');
  const filter = present === '' ? '' : `.filter(${item}, ${present})`;
  const keys = { key: `[${reference}.key]`, items: `${reference}.?items.orValue([]).map(i, i.key)`, whole: '[]' };
  const secret = `[${reference}.?${name}.orValue('')]`;
  return `${list}${filter}.map(${item}, {'secret': ${secret}, 'entries': ${keys[entries ?? 'whole']}})`;
}

/** The same for a list in each item of a list: CEL of a list of lists. */
function nestedReferences(list: string, item: string, field: ReferenceField): string {
  const [inner = '', at = ''] = field.at.split('[].');
  const innerList = `${item}.?${inner.replaceAll('.', '.?')}.orValue([])`;
  return `${list}.map(${item}, ${flatReferences(innerList, 'r', { ...field, at })})`;
}

const DENIED = lines(
  'variables.references.map(group, group.filter(r,',
  '  r.secret[0] in variables.secrets &&',
  "  !('*' in variables.secrets[r.secret[0]]) &&",
  '  !(variables.account in variables.secrets[r.secret[0]]) &&',
  '  !(size(r.entries) > 0 && r.entries.all(entry,',
  "    (variables.account + '/' + entry) in variables.secrets[r.secret[0]] ||",
  "    ('*/' + entry) in variables.secrets[r.secret[0]]))))",
);

const MESSAGE = lines(
  "'ServiceAccount ' + variables.account + ' may not read ' +",
  'variables.denied.filter(group, size(group) > 0).map(group, group.map(r,',
  "  (size(r.entries) == 0 ? 'all of ' : r.entries.join(', ') + ' of ') + 'Secret ' + r.secret[0] + ' (readers: ' +",
  "  (size(variables.secrets[r.secret[0]]) == 0 ? 'none' : variables.secrets[r.secret[0]].join(', ')) + ')'",
  ").join('; ')).join('; ') +",
  "(variables.denied.exists(group, group.exists(r, variables.secrets[r.secret[0]].exists(row, row.contains('/'))))",
  "  ? '. NAME/ENTRY may read that entry only, by secretKeyRef or items' : '')",
);

function lines(...text: string[]): string {
  return text.join('\n');
}
