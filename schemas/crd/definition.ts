/** The CustomResourceDefinitions around the schemas: names, columns, and what the API server does with the kind. */
import type { JsonSchema } from './structural.ts';

/** A column of `kubectl get`; `wide`: only with `-o wide`. */
export interface Column {
  name: string;
  type: 'string' | 'date' | 'integer';
  jsonPath: string;
  description: string;
  wide?: true;
}

export interface Kind {
  kind: string;
  plural: string;
  singular: string;
  shortNames?: readonly string[];
  columns: readonly Column[];
  spec: JsonSchema;
  status: JsonSchema;
  description: string;
}

const GROUP = 'coffer.dev';

export function customResourceDefinition(kind: Kind) {
  const { plural, singular, shortNames } = kind;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${GROUP}`,
      labels: { 'app.kubernetes.io/part-of': 'coffer' },
      // With the definition its objects would go, and with those what refers to them as its owner.
      annotations: { 'helm.sh/resource-policy': 'keep' },
    },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: {
        ...{ kind: kind.kind, listKind: `${kind.kind}List`, plural, singular },
        ...(shortNames === undefined ? {} : { shortNames }),
        categories: ['coffer'],
      },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: kind.columns.map(({ wide, ...column }) => ({
            ...column,
            ...(wide && { priority: 1 }),
          })),
          schema: {
            openAPIV3Schema: {
              description: kind.description,
              type: 'object',
              required: ['spec'],
              properties: {
                ...{ apiVersion: TEXT, kind: TEXT, metadata: { type: 'object' } },
                spec: kind.spec,
                status: kind.status,
              },
            },
          },
        },
      ],
    },
  };
}

const TEXT = { type: 'string' };
