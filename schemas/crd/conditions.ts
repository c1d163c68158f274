import Type from 'typebox';
import { strict } from '../metadata.ts';

/** As metav1.Condition: what `kubectl wait` and kstatus read. */
export const conditions = Type.Array(
  strict({
    type: Type.String({ maxLength: 316 }),
    status: Type.String({ maxLength: 16, description: 'True, False or Unknown' }),
    reason: Type.String({ maxLength: 1024 }),
    message: Type.String({ maxLength: 32_768 }),
    observedGeneration: Type.Optional(Type.Integer({ minimum: 0 })),
    lastTransitionTime: Type.String({ format: 'date-time' }),
  }),
  { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] },
);
