import { EVENT_ID, getScalarValue, parseEvents, YAMLException } from 'js-yaml';

/** A YAML or JSON node of a file that need not be coffer's, with the offset where it begins. Aliases are left out. */
export interface LocatedNode {
  start: number;
  /** Of a scalar. */
  text?: string;
  pairs?: { key: string; start: number; value: LocatedNode }[];
  items?: LocatedNode[];
}

/** The documents of a file, read leniently: none if it is no YAML. */
export function locate(text: string): LocatedNode[] {
  let events: ReturnType<typeof parseEvents>;
  try {
    events = parseEvents(text, {});
  } catch (error) {
    if (error instanceof YAMLException) return [];
    throw error;
  }
  const documents: LocatedNode[] = [];
  let next = 0;

  const node = (): LocatedNode | undefined => {
    const event = events[next++];
    switch (event?.type) {
      case EVENT_ID.SCALAR:
        return { start: event.valueStart, text: getScalarValue(text, event) };
      case EVENT_ID.SEQUENCE:
        return { start: event.start, items: children().filter((child) => child !== undefined) };
      case EVENT_ID.MAPPING: {
        const all = children();
        const pairs: NonNullable<LocatedNode['pairs']> = [];
        for (let index = 0; index + 1 < all.length; index += 2) {
          const [key, value] = [all[index], all[index + 1]];
          if (key?.text !== undefined && value !== undefined) pairs.push({ key: key.text, start: key.start, value });
        }
        return { start: event.start, pairs };
      }
      default:
        return undefined;
    }
  };
  const children = (): (LocatedNode | undefined)[] => {
    const all: (LocatedNode | undefined)[] = [];
    while (next < events.length && events[next]?.type !== EVENT_ID.POP) all.push(node());
    next += 1;
    return all;
  };

  while (next < events.length) {
    const event = events[next++];
    if (event?.type !== EVENT_ID.DOCUMENT) continue;
    const root = children()[0];
    if (root !== undefined) documents.push(root);
  }
  return documents;
}

export function field(node: LocatedNode | undefined, name: string): LocatedNode | undefined {
  return node?.pairs?.find(({ key }) => key === name)?.value;
}

export function pairsOf(node: LocatedNode | undefined): NonNullable<LocatedNode['pairs']> {
  return node?.pairs ?? [];
}

export function itemsOf(node: LocatedNode | undefined): LocatedNode[] {
  return node?.items ?? [];
}
