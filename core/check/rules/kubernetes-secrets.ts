import { type Finding, finding } from '../finding.ts';
import { lineAt } from '../line.ts';
import { field, itemsOf, type LocatedNode, locate, pairsOf } from '../located-yaml.ts';

/** Kubernetes Secrets with values, in YAML or JSON, `List` items too. Files that do not parse are not ours to judge. */
export function kubernetesSecretFindings(bytes: Buffer, file: string): Finding[] {
  if (!mayHoldSecret(bytes)) return [];
  const text = bytes.toString('utf8');
  return locate(text).flatMap((document) => secretsIn(document).flatMap((secret) => secretFinding(secret, text, file)));
}

/** Whether the word stands there by itself, as it does not in `EncryptedSecret`: that file is not parsed for this. */
function mayHoldSecret(bytes: Buffer): boolean {
  for (let at = bytes.indexOf('Secret'); at !== -1; at = bytes.indexOf('Secret', at + 1)) {
    if (!/[A-Za-z]/.test(String.fromCharCode(bytes[at - 1] ?? 0x20))) return true;
  }
  return false;
}

function secretsIn(node: LocatedNode | undefined): LocatedNode[] {
  const kind = field(node, 'kind')?.text;
  if (kind === 'Secret' && field(node, 'apiVersion')?.text === 'v1' && node !== undefined) return [node];
  return kind?.endsWith('List') === true ? itemsOf(field(node, 'items')).flatMap(secretsIn) : [];
}

function secretFinding(secret: LocatedNode, text: string, file: string): Finding[] {
  const values = ['data', 'stringData'].flatMap((name) => pairsOf(field(secret, name)));
  const plain = values.filter(({ value }) => value.text !== undefined && isPlaintext(value.text));
  const first = plain[0];
  if (first === undefined) return [];
  const metadata = field(secret, 'metadata');
  const name = field(metadata, 'name')?.text;
  const namespace = field(metadata, 'namespace')?.text;
  const entries = plain.map(({ key }) => key).join(', ');
  return [
    finding(
      'CHECK_KUBERNETES_SECRET',
      {
        file,
        line: lineAt(text, first.start),
        entry: first.key,
        ...(name === undefined ? {} : { name }),
        ...(namespace === undefined ? {} : { namespace }),
      },
      {
        message: `a Kubernetes Secret holds ${entries} in plaintext (base64 is no encryption)`,
        advice:
          'Seal it with `coffer new NAMESPACE/NAME --from-stdin`, then remove it from git and replace its values.',
      },
    ),
  ];
}

/** Neither empty, nor sealed by sops, nor a placeholder that another tool fills in. */
function isPlaintext(value: string): boolean {
  const trimmed = value.trim();
  return trimmed !== '' && !/^(?:ENC\[.*\]|<[^>]*>|\$\{[^}]*\}|\$\([^)]*\)|\$[A-Z_][A-Z0-9_]*)$/s.test(trimmed);
}
