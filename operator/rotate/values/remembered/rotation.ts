import Type, { type Static } from 'typebox';

const text = Type.String();

/** As in core/rotation/proposal.ts. */
const Value = Type.Object({
  path: text,
  namespace: text,
  name: text,
  entry: text,
  former: Type.Optional(text),
  text: Type.Optional(text),
});

/**
 * `made`: the new values are remembered, sealed. `verified`: they work where they are used, beside the former ones. `landed`: the
 * accepted state has them. `projected`: this cluster has projected them, and the overlap runs. `retired`: the former ones do not work
 * any more.
 */
const Step = Type.Enum(['made', 'verified', 'landed', 'projected', 'retired']);

/** A rotation that is under way: all that it takes to go on after a crash, and nothing that is secret. */
export const Rotation = Type.Object({
  /** `operation` of its records. */
  id: Type.String({ pattern: '^[0-9a-f]{16}$' }),
  source: text,
  namespace: text,
  name: text,
  /** Those that the manifest's `rotation` names. */
  entries: Type.Array(text, { minItems: 1 }),
  /** Name of the one that changes them where they are used. */
  rotator: Type.Optional(text),
  isExposed: Type.Boolean(),
  step: Step,
  /** The manifest's file as it was, whose texts are the former values. */
  file: Type.Object({ path: text, text }),
  values: Type.Array(Value),
  /** Data key id → recipient → `KID:b64u`. */
  stanzas: Type.Record(text, Type.Record(text, text)),
  /** Milliseconds of the overlap that the operator has been looking on. */
  waited: Type.Number({ minimum: 0 }),
});

export type Rotation = Static<typeof Rotation>;
