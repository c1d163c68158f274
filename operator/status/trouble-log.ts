import type { Log } from '../process/log.ts';
import type { Status, Trouble } from './status.ts';

/** Logs what is wrong when it begins to be, and that it ended; what stays wrong is not said again at every poll. */
export class TroubleLog {
  readonly #log: Log;
  #known = new Map<string, Trouble>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** `status` may leave out secrets that are well. Returns how many troubles there are. */
  report(status: Status): number {
    const now = troublesOf(status);
    for (const [key, trouble] of now) if (!this.#known.has(key)) this.#log.failure(trouble);
    const ended = [...this.#known.keys()].filter((key) => !now.has(key));
    if (ended.length > 0) this.#log.info('what was wrong is mended', { troubles: ended.length });
    this.#known = now;
    return now.size;
  }
}

function troublesOf({ sources, secrets, problems: general }: Status): Map<string, Trouble> {
  const troubles = new Map<string, Trouble>();
  const add = (where: string, trouble: Trouble) => {
    const { file, line, commit } = trouble.data;
    troubles.set(JSON.stringify([where, trouble.code, file, line, commit, trouble.message]), trouble);
  };
  for (const problem of general) add('', problem);
  for (const { id, trouble, problems, held, refused } of sources) {
    for (const { path, commit, ...why } of refused) add(id, { ...why, data: { ...why.data, file: path, commit } });
    for (const problem of trouble === undefined ? problems : [trouble, ...problems]) add(id, problem);
    for (const { commit, secrets: kept } of held) add(id, heldRemoval(id, commit, kept.length));
  }
  for (const { namespace, name, trouble } of secrets) {
    if (trouble !== undefined) add(`${namespace}/${name}`, { ...trouble, data: { ...trouble.data, namespace, name } });
  }
  return troubles;
}

function heldRemoval(source: string, commit: string, count: number): Trouble {
  return {
    code: 'PRUNE_HELD',
    message: `The commit removes ${count} secrets, more than the configured share, so they stay.`,
    advice: `If that is meant, run coffer-operator with --confirm ${commit}; else restore them in the repository.`,
    data: { source, commit },
  };
}
