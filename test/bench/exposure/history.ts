import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';

const WHO = 'Bench <bench@example.org>';
/** Any day. */
const BEGAN = 1_700_000_000;
const ENTRIES = 10;
/** Each data key is sealed to all three. */
export const RECIPIENTS = ['production', 'staging', 'recovery'] as const;

export interface LongHistory {
  directory: string;
  manifests: number;
  commits: number;
  /** Of the recipients, in their order. */
  kids: readonly string[];
}

/** A manifest whose ciphertexts are noise: nothing here opens anything. */
class Noise {
  readonly #number: number;
  readonly #values: { entry: string; dataKeyId: string; text: string }[] = [];
  readonly #stanzas = new Map<string, string[]>();
  readonly #kids: readonly string[];

  constructor(number: number, kids: readonly string[]) {
    this.#number = number;
    this.#kids = kids;
    const first = this.#newDataKey();
    for (let entry = 0; entry < ENTRIES; entry++) this.#values.push(sealed(`entry-${entry}`, first));
  }

  get path(): string {
    return `apps/team-${this.#number % 20}/secret-${this.#number}.yaml`;
  }

  /** One value anew, under a data key of its own, as `coffer set` does. */
  change(turn: number): void {
    const at = turn % ENTRIES;
    this.#values[at] = sealed(`entry-${at}`, this.#newDataKey());
    const used = new Set(this.#values.map(({ dataKeyId }) => dataKeyId));
    for (const id of this.#stanzas.keys()) if (!used.has(id)) this.#stanzas.delete(id);
  }

  text(): string {
    const stanzas = [...this.#stanzas].map(([id, lines]) => `    ${id}:\n${lines.join('\n')}`);
    return `apiVersion: coffer.dev/v1
kind: EncryptedSecret
metadata:
  name: secret-${this.#number}
  namespace: team-${this.#number % 20}
spec:
  recipients: [${RECIPIENTS.join(', ')}]
  readers:
    - name: app
  data:
${this.#values.map(({ entry, text }) => `    ${entry}: ${text}`).join('\n')}
  keys:
${stanzas.join('\n')}
`;
  }

  #newDataKey(): string {
    const id = noise(24);
    this.#stanzas.set(
      id,
      RECIPIENTS.map((recipient, index) => `      ${recipient}: "${this.#kids[index]}:${noise(1168)}"`),
    );
    return id;
  }
}

/**
 * Writes it with `git fast-import`. A first commit brings all manifests, each other one changes a value. All versions of one file go in
 * one behind the other, so that each is a delta of its neighbour, as in a pack of a server.
 */
export async function writeLongHistory(
  directory: string,
  size: { manifests: number; commits: number },
): Promise<LongHistory> {
  const kids = RECIPIENTS.map(() => randomBytes(16).toString('hex'));
  await run(directory, ['init', '-q', '-b', 'main', '.']);
  const child = spawn('git', ['-C', directory, 'fast-import', '--quiet'], { stdio: ['pipe', 'inherit', 'inherit'] });
  const ended = once(child, 'exit');
  for (const chunk of commands(kids, size)) if (!child.stdin.write(chunk)) await once(child.stdin, 'drain');
  child.stdin.end();
  const [code] = await ended;
  if (code !== 0) throw new Error('git fast-import failed');
  await run(directory, ['reset', '-q', '--hard']);
  return { directory, kids, ...size };
}

function* commands(
  kids: readonly string[],
  { manifests, commits }: { manifests: number; commits: number },
): Generator<string> {
  const versions = Math.ceil((commits - 1) / manifests);
  const paths: string[] = [];
  for (let number = 0; number < manifests; number++) {
    const made = new Noise(number, kids);
    paths.push(made.path);
    for (let version = 0; version <= versions; version++) {
      if (version > 0) made.change(version);
      yield blob(markOf(number, version, versions), made.text());
    }
  }
  yield commit('Begin', 0);
  for (const [number, path] of paths.entries()) yield `M 100644 :${markOf(number, 0, versions)} ${path}\n`;
  yield file('.coffer/recipients/staging.yaml', keyring('staging', kids[1] ?? '', 'active'));
  for (let number = 1; number < commits; number++) {
    const at = (number - 1) % manifests;
    const version = Math.floor((number - 1) / manifests) + 1;
    yield commit(`Set a value of ${paths[at]}`, number);
    yield `M 100644 :${markOf(at, version, versions)} ${paths[at]}\n`;
  }
  yield commit('Revoke the key of staging', commits);
  yield file('.coffer/recipients/staging.yaml', keyring('staging', kids[1] ?? '', 'revoked'));
}

function markOf(manifest: number, version: number, versions: number): number {
  return manifest * (versions + 1) + version + 1;
}

function blob(mark: number, text: string): string {
  return `blob\nmark :${mark}\ndata ${Buffer.byteLength(text)}\n${text}\n`;
}

function keyring(name: string, kid: string, status: string): string {
  return `apiVersion: coffer.dev/v1\nkind: Recipient\nmetadata: {name: ${name}}\nspec:\n  type: cluster\n  keys:\n    - {id: "${kid}", status: ${status}, created: "2026-11-21T09:00:00Z"}\n`;
}

function sealed(entry: string, dataKeyId: string): { entry: string; dataKeyId: string; text: string } {
  return { entry, dataKeyId, text: `CF[1:${dataKeyId}:${noise(72)}]` };
}

function noise(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}

function commit(message: string, number: number): string {
  return `commit refs/heads/main\ncommitter ${WHO} ${BEGAN + number * 60} +0000\ndata ${Buffer.byteLength(message)}\n${message}\n`;
}

function file(path: string, text: string): string {
  return `M 100644 inline ${path}\ndata ${Buffer.byteLength(text)}\n${text}\n`;
}

async function run(directory: string, args: string[]): Promise<void> {
  const child = spawn('git', ['-C', directory, ...args], { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`git ${args[0]} failed`);
}
