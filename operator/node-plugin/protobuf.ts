import { CofferError } from '../../core/errors.ts';

/**
 * As much of Protocol Buffers (proto3, https://protobuf.dev/programming-guides/encoding/) as the messages of CSI need that this
 * program uses: each is described by its fields' numbers. Unknown fields are skipped, absent ones have their default. What libraries read
 * has types only with generated code; a `FileDescriptorProto` that they take at run time is longer than these tables and says no more.
 */
export type FieldType =
  | 'string'
  | 'bool'
  /** Also int32 and int64 of small numbers. */
  | 'enum'
  /** map<string, string> */
  | 'strings'
  | Message
  | readonly ['string']
  | readonly [Message];

/** Field name → its number and type; an array stands for a repeated field. */
export interface Message {
  readonly [field: string]: readonly [number, FieldType];
}

type Value<Type> = Type extends 'string'
  ? string
  : Type extends 'bool'
    ? boolean
    : Type extends 'enum'
      ? number
      : Type extends 'strings'
        ? ReadonlyMap<string, string>
        : Type extends readonly [infer Element]
          ? Value<Element>[]
          : Type extends Message
            ? Of<Type> | undefined
            : never;

/** What is read: a message that is absent is undefined, all else has its default. */
export type Of<Described extends Message> = { [Field in keyof Described]: Value<Described[Field][1]> };

/** What is written: what is left out is absent. */
export type Given<Described extends Message> = { [Field in keyof Described]?: GivenValue<Described[Field][1]> };
type GivenValue<Type> = Type extends readonly [infer Element]
  ? GivenValue<Element>[]
  : Type extends Message
    ? Given<Type>
    : Value<Type>;

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** A map's entry is a message of its own. */
const PAIR = { key: [1, 'string'], value: [2, 'string'] } as const satisfies Message;

export function encode<Described extends Message>(message: Described, given: Given<Described>): Buffer {
  const parts: Buffer[] = [];
  const values: Record<string, unknown> = given;
  for (const [field, [number, type]] of Object.entries(message)) {
    for (const value of occurrences(type, values[field])) parts.push(...encodeField(number, type, value));
  }
  return Buffer.concat(parts);
}

/** Throws CofferError `GRPC_MESSAGE` where the bytes are no such message. */
export function decode<Described extends Message>(message: Described, bytes: Uint8Array): Of<Described> {
  const fields = new Map(Object.entries(message).map(([field, [number, type]]) => [number, { field, type }]));
  const values: Record<string, unknown> = {};
  for (const [field, [, type]] of Object.entries(message)) values[field] = defaultOf(type);
  const reader = new Reader(bytes);
  while (!reader.isAtEnd) {
    const tag = reader.varint();
    const wire = tag & 7;
    const known = fields.get(tag >>> 3);
    if (known === undefined) reader.skip(wire);
    else values[known.field] = read(known.type, wire, reader, values[known.field]);
  }
  return values as Of<Described>;
}

function occurrences(type: FieldType, value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  if (Array.isArray(type)) return value as unknown[];
  if (type === 'strings') return Array.from(value as Map<string, string>, ([key, one]) => ({ key, value: one }));
  // Proto3 leaves out a scalar that has its default.
  return value === '' || value === 0 || value === false ? [] : [value];
}

function encodeField(number: number, type: FieldType, value: unknown): Buffer[] {
  const element = elementOf(type);
  if (element === 'bool' || element === 'enum') return [varint((number << 3) | VARINT), varint(Number(value))];
  const bytes =
    typeof element === 'string'
      ? Buffer.from(value as string)
      : encode(element, value as Record<string, Given<Message>[string]>);
  return [varint((number << 3) | LENGTH_DELIMITED), varint(bytes.length), bytes];
}

function elementOf(type: FieldType): 'string' | 'bool' | 'enum' | Message {
  if (type === 'strings') return PAIR;
  return isRepeated(type) ? type[0] : type;
}

function isRepeated(type: FieldType): type is readonly ['string'] | readonly [Message] {
  return Array.isArray(type);
}

function defaultOf(type: FieldType): unknown {
  if (isRepeated(type)) return [];
  if (type === 'strings') return new Map<string, string>();
  return type === 'string' ? '' : type === 'bool' ? false : type === 'enum' ? 0 : undefined;
}

function read(type: FieldType, wire: number, reader: Reader, before: unknown): unknown {
  const element = elementOf(type);
  const isVarint = element === 'bool' || element === 'enum';
  if (wire !== (isVarint ? VARINT : LENGTH_DELIMITED)) throw damaged();
  if (isVarint) return element === 'bool' ? reader.varint() !== 0 : reader.varint();
  const bytes = reader.bytes();
  if (type === 'strings') {
    const { key, value } = decode(PAIR, bytes);
    return (before as Map<string, string>).set(key, value);
  }
  const value = element === 'string' ? Buffer.from(bytes).toString('utf8') : decode(element, bytes);
  return isRepeated(type) ? [...(before as unknown[]), value] : value;
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** The lower 32 bits. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const octet = this.#bytes[this.#at];
      if (octet === undefined) throw damaged();
      this.#at += 1;
      if (shift < 32) value |= (octet & 0x7f) << shift;
      if (octet < 0x80) return value >>> 0;
    }
    throw damaged();
  }

  bytes(): Uint8Array {
    return this.#take(this.varint());
  }

  skip(wire: number): void {
    if (wire === VARINT) this.varint();
    else if (wire === FIXED64) this.#take(8);
    else if (wire === LENGTH_DELIMITED) this.bytes();
    else if (wire === FIXED32) this.#take(4);
    else throw damaged();
  }

  #take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw damaged();
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

/** Of a number below 2^32. */
function varint(value: number): Buffer {
  const octets: number[] = [];
  let rest = value >>> 0;
  for (; rest >= 0x80; rest >>>= 7) octets.push((rest & 0x7f) | 0x80);
  return Buffer.from([...octets, rest]);
}

function damaged(): CofferError {
  return new CofferError('GRPC_MESSAGE', 'The request is not a message of the Container Storage Interface.', {
    advice: 'See that nothing but kubelet talks to the socket of the driver.',
  });
}
