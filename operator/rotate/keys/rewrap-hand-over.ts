import type { AuditLog } from '../../../core/audit/log.ts';
import type { Proposal } from '../../../core/rotation/proposal.ts';
import { HandOver, type HandOverOptions } from '../hand-over.ts';
import type { KeyMemories } from './memory.ts';

type Options = Pick<HandOverOptions<never>, 'id' | 'proposals' | 'pushers' | 'log' | 'wake' | 'clock'> & {
  cluster: string;
  memories: KeyMemories;
  audit: Pick<AuditLog, 'append'>;
};

/** Hands over a new key and what is sealed to it, with a record of each. */
export function rewrapHandOver({ cluster, memories, audit, ...options }: Options): HandOver {
  const { id } = options;

  /** Once for each key, also when the process ends here and begins again. */
  async function announce({ recipient }: Proposal): Promise<void> {
    const memory = await memories.read();
    const { pending } = memory;
    if (pending === undefined || pending.isTold || recipient?.text.includes(pending.kid) !== true) return;
    await audit.append([
      { event: 'key.changed', change: 'announced', cluster, recipient: cluster, keyIds: [pending.kid], proposal: id },
    ]);
    await memories.write({ ...memory, pending: { ...pending, isTold: true } });
  }

  return new HandOver({
    ...options,
    messageOf,
    command: `coffer recipients rewrap ${cluster}`,
    publishing: announce,
    pushed: async ({ source }, { commit, branch }) => {
      const about = { cluster, source, proposal: id, branch, commit };
      await audit.append([{ event: 'rotation.step', step: 'pushed', outcome: 'done', ...about }]);
    },
  });
}

/** Of the commit. Names of recipients and ids of requests are safe to print. */
function messageOf({ cluster, recipient, stanzas, fulfils }: Proposal): string {
  const subject =
    recipient === undefined
      ? stanzas.size > 0
        ? `Seal to the newest key of ${cluster}`
        : `Remove fulfilled requests of ${cluster}`
      : `Rotate the key of ${cluster}`;
  return `${[subject, ...(fulfils.length === 0 ? [] : ['', ...fulfils.map((id) => `Fulfils: ${id}`)])].join('\n')}\n`;
}
