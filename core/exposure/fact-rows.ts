import type { Fact, RotationKind } from './facts.ts';

/** A fact as a file keeps it: its kind, then what it says of that. */
export type FactRow = readonly [kind: Fact['kind'], ...fields: string[]];

export function rowOf(fact: Fact): FactRow {
  switch (fact.kind) {
    case 'value':
      return [fact.kind, fact.namespace, fact.name, fact.entry, fact.text, fact.dataKeyId];
    case 'stanza':
      return [fact.kind, fact.dataKeyId, fact.kid, fact.recipient];
    case 'lists':
      return [fact.kind, fact.namespace, fact.name, fact.recipient];
    case 'rotation':
      return [fact.kind, fact.namespace, fact.name, fact.entry, fact.says];
    case 'key':
      return [fact.kind, fact.recipient, fact.type, fact.kid, fact.status];
    case 'seed':
      return [fact.kind, fact.group, fact.groupKid, fact.member, fact.memberKid];
    case 'ejson':
      return [fact.kind];
  }
}

/** Of a row that `rowOf` made. */
export function factOf([kind, a = '', b = '', c = '', d = '', e = '']: FactRow): Fact {
  switch (kind) {
    case 'value':
      return { kind, namespace: a, name: b, entry: c, text: d, dataKeyId: e };
    case 'stanza':
      return { kind, dataKeyId: a, kid: b, recipient: c };
    case 'lists':
      return { kind, namespace: a, name: b, recipient: c };
    case 'rotation':
      return { kind, namespace: a, name: b, entry: c, says: d as RotationKind };
    case 'key':
      return { kind, recipient: a, type: b, kid: c, status: d };
    case 'seed':
      return { kind, group: a, groupKid: b, member: c, memberKid: d };
    case 'ejson':
      return { kind };
  }
}
