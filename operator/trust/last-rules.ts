import { join } from 'node:path';
import { writeFileAtomically } from '../../core/files/atomic.ts';
import { readIfThere } from '../../core/files/read-if-there.ts';
import { parseJson } from '../../core/json.ts';
import type { Policy } from '../../core/trust/policy/policy.ts';

const FILE = 'namespaces.json';
const VERSION = 1;

/** Of a policy: they hold for what was accepted too, also while nothing new is taken because the policy cannot be read. */
export type LastingRules = Pick<Policy, 'namespaces'>;

/** `namespaces.json` beside a clone: the rules of the policy as it was read last, also by an earlier run. */
export class LastRules {
  readonly #file: string;
  #known: LastingRules | undefined;
  /** On disk. */
  #text: string;

  private constructor(file: string, text: string) {
    this.#file = file;
    this.#text = text;
    this.#known = parse(text);
  }

  static async open(folder: string): Promise<LastRules> {
    const file = join(folder, FILE);
    return new LastRules(file, await readIfThere(file));
  }

  /** `undefined`: no policy was ever read, or nobody knows of it any more. */
  get known(): LastingRules | undefined {
    return this.#known;
  }

  /** Known at once; on disk when it resolves. Throws what the system says of the disk, and tries again when it is called again. */
  async note({ namespaces }: LastingRules): Promise<void> {
    this.#known = namespaces === undefined ? {} : { namespaces };
    const text = `${JSON.stringify({ version: VERSION, ...this.#known })}\n`;
    if (text === this.#text) return;
    await writeFileAtomically(this.#file, text, { mode: 0o600 });
    this.#text = text;
  }
}

/** The file is our own: what does not look like it was damaged, and says nothing. */
function parse(text: string): LastingRules | undefined {
  const { version, namespaces }: { version?: unknown } & LastingRules = Object(parseJson(text));
  if (version !== VERSION) return undefined;
  if (namespaces === undefined) return {};
  return Array.isArray(namespaces) && namespaces.every(isRule) ? { namespaces } : undefined;
}

function isRule(rule: unknown): boolean {
  const { path, namespaces } = (rule ?? {}) as { path: unknown; namespaces: unknown };
  return typeof path === 'string' && Array.isArray(namespaces) && namespaces.every((glob) => typeof glob === 'string');
}
