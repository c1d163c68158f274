import type { ErrorData } from '../../errors.ts';
import type { Manifest, Stanza } from '../../format/manifest/manifest.ts';
import type { Keyring } from '../../keys/keyring.ts';
import { activeKey } from '../../keys/recipient.ts';
import { command } from '../command.ts';
import { type Finding, finding } from '../finding.ts';

/**
 * Who can open what: every listed recipient has a stanza for each data key in use, and it is for a key which that
 * recipient has now (docs/format.md, "Data keys").
 *
 * @param revokedNow ids of keys that the commit at hand revokes
 */
export function stanzaFindings(manifest: Manifest, keyring: Keyring, revokedNow: ReadonlySet<string>): Finding[] {
  const used = entriesByDataKey(manifest);
  const found: Finding[] = [];
  /** Recipient → the entries that it cannot open yet. */
  const pending = new Map<string, string[]>();

  for (const [dataKeyId, entries] of used) {
    const stanzas = manifest.stanzas.get(dataKeyId);
    if (stanzas === undefined || stanzas.size === 0) {
      found.push(noStanza(manifest, dataKeyId, entries));
      continue;
    }
    for (const recipient of manifest.recipients) {
      const stanza = stanzas.get(recipient);
      if (stanza === undefined) pending.set(recipient, [...(pending.get(recipient) ?? []), ...entries]);
      else found.push(...keyFindings(manifest, keyring, { recipient, stanza, revokedNow }));
    }
  }

  for (const [dataKeyId, stanzas] of manifest.stanzas) {
    for (const [recipient, stanza] of stanzas) {
      if (!manifest.recipients.includes(recipient)) found.push(unlisted(manifest, dataKeyId, recipient, stanza));
    }
    if (!used.has(dataKeyId)) found.push(unused(manifest, dataKeyId));
  }

  for (const [recipient, entries] of pending) {
    // A recipient that the keyring does not know has a finding of its own.
    if (keyring.recipients.has(recipient)) found.push(stillPending(manifest, recipient, entries));
  }
  return found;
}

function noStanza(manifest: Manifest, dataKeyId: string, entries: readonly string[]): Finding {
  return finding(
    'CHECK_STANZA_NONE',
    { ...placeOf(manifest), line: lineOf(manifest, entries[0]), dataKeyId, entry: entries[0] ?? '' },
    {
      message: `nobody can open ${list(entries)}: data key ${label(dataKeyId)} has no stanza`,
      advice: 'Take `spec.keys` of the commit that sealed it, or `coffer set` the value again.',
    },
  );
}

function unlisted(manifest: Manifest, dataKeyId: string, recipient: string, stanza: Stanza): Finding {
  return finding(
    'CHECK_STANZA_UNLISTED',
    { ...placeOf(manifest), line: stanza.line, recipient, dataKeyId },
    {
      message: `a stanza is for ${recipient}, which \`spec.recipients\` does not list`,
      advice: `Run ${command('rewrap', manifest.file, '--remove', recipient)}, or list the recipient.`,
    },
  );
}

function unused(manifest: Manifest, dataKeyId: string): Finding {
  const { line } = manifest.document.position(['spec', 'keys', dataKeyId]);
  return finding(
    'CHECK_DATA_KEY_UNUSED',
    { ...placeOf(manifest), line, dataKeyId },
    {
      message: `no value names data key ${label(dataKeyId)}`,
      advice: 'Remove it from `spec.keys`; coffer does so by itself when it writes the file.',
    },
  );
}

function stillPending(manifest: Manifest, recipient: string, entries: readonly string[]): Finding {
  const { line } = manifest.document.position(['spec', 'recipients', manifest.recipients.indexOf(recipient)]);
  return finding(
    'CHECK_STANZA_PENDING',
    { ...placeOf(manifest), line, recipient },
    {
      message: `${recipient} cannot open ${list(entries)} yet`,
      advice: `Let somebody who can open it run ${command('rewrap', manifest.file, '--add', recipient)}.`,
    },
  );
}

function placeOf({ file, namespace, name }: Manifest): { file: string; namespace: string; name: string } {
  return { file, namespace, name };
}

function keyFindings(
  manifest: Manifest,
  keyring: Keyring,
  { recipient, stanza, revokedNow }: { recipient: string; stanza: Stanza; revokedNow: ReadonlySet<string> },
): Finding[] {
  const known = keyring.recipients.get(recipient);
  // An unknown recipient is one finding of its own, not one for each stanza.
  if (known === undefined) return [];
  const place = { ...placeOf(manifest), line: stanza.line, recipient, keyId: stanza.kid };
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
      if (activeKey(known) === undefined) return [waits(place, recipient, stanza)];
      if (revokedNow.has(stanza.kid)) return [isJustRevoked(place, manifest, recipient, stanza)];
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

/** The commit that revokes a stolen key has to pass, and those until the recipient has another; what is exposed is told elsewhere. */
function waits(place: ErrorData & { file: string }, recipient: string, stanza: Stanza): Finding {
  return finding('CHECK_STANZA_WAITS', place, {
    message: `sealed to ${recipient}'s revoked key ${label(stanza.kid)}, and ${recipient} has no new one yet`,
    advice: `Have its operator make one (\`coffer recipients rotate ${recipient}\`), then replace the values.`,
  });
}

/** Nor may a commit that revokes a former key have to wait until nothing is sealed to that. */
function isJustRevoked(
  place: ErrorData & { file: string },
  { file }: Manifest,
  recipient: string,
  stanza: Stanza,
): Finding {
  return finding('CHECK_STANZA_WAITS', place, {
    message: `still sealed to ${recipient}'s key ${label(stanza.kid)}, which is revoked with this`,
    advice: `Take over what its operator sealed anew (\`coffer recipients rewrap ${recipient}\`), or run ${command('rewrap', file)}; then replace the values.`,
  });
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
