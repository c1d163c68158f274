import type { Manifest, Stanza } from '../format/manifest.ts';
import type { Keyring } from '../keys/keyring.ts';
import { command } from './command.ts';
import { type Finding, finding } from './finding.ts';

/**
 * Who can open what: every listed recipient has a stanza for each data key in use, and it is for a key which that
 * recipient has now (docs/format.md, "Data keys").
 */
export function stanzaFindings(manifest: Manifest, keyring: Keyring): Finding[] {
  const place = { file: manifest.file, namespace: manifest.namespace, name: manifest.name };
  const used = entriesByDataKey(manifest);
  const found: Finding[] = [];
  /** Recipient → the entries that it cannot open yet. */
  const pending = new Map<string, string[]>();

  for (const [dataKeyId, entries] of used) {
    const stanzas = manifest.stanzas.get(dataKeyId);
    if (stanzas === undefined || stanzas.size === 0) {
      found.push(
        finding(
          'CHECK_STANZA_NONE',
          { ...place, line: lineOf(manifest, entries[0]), dataKeyId, entry: entries[0] ?? '' },
          {
            message: `nobody can open ${list(entries)}: data key ${label(dataKeyId)} has no stanza`,
            advice: 'Take `spec.keys` of the commit that sealed it, or `coffer set` the value again.',
          },
        ),
      );
      continue;
    }
    for (const recipient of manifest.recipients) {
      const stanza = stanzas.get(recipient);
      if (stanza === undefined) pending.set(recipient, [...(pending.get(recipient) ?? []), ...entries]);
      else found.push(...keyFindings(manifest, keyring, recipient, stanza));
    }
  }

  for (const [dataKeyId, stanzas] of manifest.stanzas) {
    for (const [recipient, stanza] of stanzas) {
      if (manifest.recipients.includes(recipient)) continue;
      found.push(
        finding(
          'CHECK_STANZA_UNLISTED',
          { ...place, line: stanza.line, recipient, dataKeyId },
          {
            message: `a stanza is for ${recipient}, which \`spec.recipients\` does not list`,
            advice: `Run ${command('rewrap', manifest.file, '--remove', recipient)}, or list the recipient.`,
          },
        ),
      );
    }
    if (used.has(dataKeyId)) continue;
    const { line } = manifest.document.position(['spec', 'keys', dataKeyId]);
    found.push(
      finding(
        'CHECK_DATA_KEY_UNUSED',
        { ...place, line, dataKeyId },
        {
          message: `no value names data key ${label(dataKeyId)}`,
          advice: 'Remove it from `spec.keys`; coffer does so by itself when it writes the file.',
        },
      ),
    );
  }

  for (const [recipient, entries] of pending) {
    // One that nobody knows is a finding of its own.
    if (!keyring.recipients.has(recipient)) continue;
    const { line } = manifest.document.position(['spec', 'recipients', manifest.recipients.indexOf(recipient)]);
    found.push(
      finding(
        'CHECK_STANZA_PENDING',
        { ...place, line, recipient },
        {
          message: `${recipient} cannot open ${list(entries)} yet`,
          advice: `Let somebody who can open it run ${command('rewrap', manifest.file, '--add', recipient)}.`,
        },
      ),
    );
  }
  return found;
}

function keyFindings(manifest: Manifest, keyring: Keyring, recipient: string, stanza: Stanza): Finding[] {
  const known = keyring.recipients.get(recipient);
  // An unknown recipient is one finding of its own, not one for each stanza.
  if (known === undefined) return [];
  const place = {
    file: manifest.file,
    line: stanza.line,
    namespace: manifest.namespace,
    name: manifest.name,
    recipient,
    keyId: stanza.kid,
  };
  const key = known.keys.find(({ kid }) => kid === stanza.kid);
  switch (key?.status) {
    case 'active':
      return [];
    case 'retired':
      return [
        finding('CHECK_STANZA_RETIRED', place, {
          message: `sealed to ${recipient}'s retired key ${label(stanza.kid)}`,
          advice: `Let somebody who can open it run ${command('rewrap', manifest.file)} before the key is deleted.`,
        }),
      ];
    case 'revoked':
      return [
        finding('CHECK_STANZA_REVOKED', place, {
          message: `sealed to ${recipient}'s revoked key ${label(stanza.kid)}`,
          advice: 'Replace the values with `coffer set`: who has that key may have read them. Then rewrap the file.',
        }),
      ];
    default:
      return [
        finding('CHECK_STANZA_UNKNOWN_KEY', place, {
          message: `${recipient} has no key ${label(stanza.kid)}`,
          advice: `Bring ${known.file} up to date, or run ${command('rewrap', manifest.file)} as somebody who can open it.`,
        }),
      ];
  }
}

function entriesByDataKey(manifest: Manifest): Map<string, string[]> {
  const used = new Map<string, string[]>();
  for (const [name, entry] of manifest.entries) {
    if (entry.kind !== 'sealed') continue;
    const entries = used.get(entry.dataKeyId);
    if (entries === undefined) used.set(entry.dataKeyId, [name]);
    else entries.push(name);
  }
  return used;
}

function lineOf(manifest: Manifest, entry: string | undefined): number {
  return (entry === undefined ? undefined : manifest.entries.get(entry)?.line) ?? manifest.line;
}

/** Enough to tell keys apart in one file. */
function label(id: string): string {
  return `${id.slice(0, 8)}…`;
}

function list(entries: readonly string[]): string {
  return entries.length <= 3 ? entries.join(', ') : `${entries.slice(0, 3).join(', ')} and ${entries.length - 3} more`;
}
