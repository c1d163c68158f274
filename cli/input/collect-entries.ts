import { readFile } from 'node:fs/promises';
import { CofferError } from '../../core/errors.ts';
import { ENTRY } from '../../schemas/grammar.ts';
import { readEnvFile } from './env-file.ts';
import { type KubernetesSecret, readKubernetesSecret } from './kubernetes-secret.ts';
import { readStandardInput } from './secret-input.ts';
import { valueWarnings } from './value-warnings.ts';

export interface EntrySources {
  envFile: string | undefined;
  /** `ENTRY=PATH` */
  files: readonly string[];
  kubernetesSecret: boolean;
}

export interface CollectedEntries {
  entries: ReadonlyMap<string, Buffer>;
  /** Of the Kubernetes Secret. */
  type: string | undefined;
  warnings(namespace: string, name: string): string[];
  wipe(): void;
}

/** Entries of a new manifest from all their sources. An entry that comes twice is refused: INPUT_ENTRY_TWICE. */
export async function collectEntries(sources: EntrySources): Promise<CollectedEntries> {
  const entries = new Map<string, Buffer>();
  const warnings: string[] = [];
  const wipe = () => {
    for (const value of entries.values()) value.fill(0);
  };
  const add = (entry: string, value: Buffer) => {
    if (entries.has(entry)) throw usage('INPUT_ENTRY_TWICE', `the entry ${entry} is given twice`, 'Leave one out.');
    entries.set(entry, value);
  };
  try {
    if (sources.envFile !== undefined) {
      for (const { name, value } of await readEnv(sources.envFile)) {
        add(name, value);
        if (isQuoted(value))
          warnings.push(`${name} is in quotes, which are part of the value, as docker and kubectl have it`);
      }
    }
    for (const pair of sources.files) add(...(await readNamed(pair)));
    const secret = sources.kubernetesSecret ? await readSecretFromInput() : undefined;
    for (const [entry, value] of secret?.entries ?? []) add(entry, value);
    for (const [entry, value] of entries) warnings.push(...valueWarnings(entry, value));
    return {
      entries,
      type: secret?.type,
      warnings: (namespace, name) => [...warnings, ...differences(secret, namespace, name)],
      wipe,
    };
  } catch (error) {
    wipe();
    throw error;
  }
}

async function readEnv(file: string) {
  const bytes = file === '-' ? await readStandardInput() : await readFile(file);
  try {
    return readEnvFile(bytes, file === '-' ? 'standard input' : file);
  } finally {
    bytes.fill(0);
  }
}

async function readNamed(pair: string): Promise<[string, Buffer]> {
  const equals = pair.indexOf('=');
  const entry = pair.slice(0, Math.max(0, equals));
  if (equals !== -1 && new RegExp(ENTRY).test(entry)) return [entry, await readFile(pair.slice(equals + 1))];
  throw usage('INPUT_FROM_FILE', '--from-file takes ENTRY=PATH', 'Write, for example, --from-file tls.crt=server.crt.');
}

async function readSecretFromInput(): Promise<KubernetesSecret> {
  if (process.stdin.isTTY) {
    throw usage('INPUT_NONE', 'standard input is a terminal, and --from-stdin reads a Secret from it', 'Pipe one in.');
  }
  const bytes = await readStandardInput();
  try {
    return readKubernetesSecret(bytes);
  } finally {
    bytes.fill(0);
  }
}

function differences(secret: KubernetesSecret | undefined, namespace: string, name: string): string[] {
  if (secret === undefined) return [];
  const told = `${secret.namespace ?? namespace}/${secret.name ?? name}`;
  return [
    ...(told === `${namespace}/${name}` ? [] : [`the Secret is named ${told}; the manifest is ${namespace}/${name}`]),
    ...secret.leftOut.map((field) => `${field} of the Secret was left out; put what you need under template.metadata`),
  ];
}

function isQuoted(value: Buffer): boolean {
  const [first, last] = [value.at(0), value.at(-1)];
  return value.length > 1 && first === last && (first === 0x22 || first === 0x27);
}

function usage(code: string, message: string, advice: string): CofferError {
  return new CofferError(code, message, { advice, exit: 2 });
}
