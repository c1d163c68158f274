import type { BundledLog } from './bundle-file.ts';
import type { Verified } from './verify-logs.ts';

/** For somebody who has never seen coffer. */
export function readmeText(
  logs: readonly BundledLog[],
  reports: readonly Verified[],
  range: { from: string; to: string },
): string {
  const rows = logs.map((log, at) => rowOf(log, reports[at]));
  const found = reports.flatMap(({ findings }) => findings.map(({ kind, message }) => `- ${kind}: ${message}`));
  return `# Audit logs of coffer, ${range.from} to ${range.to}

coffer opens the secrets of a cluster for its workloads, and writes before it opens one who gets what, on whose commit. Each log below
was written by one cluster. There is no value of a secret in here.

| log | folder | records | their text | identity |
|---|---|---|---|---|
${rows.join('\n')}

${found.length === 0 ? 'When this was made, every log was what its identity had signed.' : `When this was made, this was found to be wrong:\n\n${found.join('\n')}`}

## Verify it

Ask the owners of each cluster for its identity by a way of your own: what stands in the table is what whoever made this bundle
believed. Keep the \`checkpoint\` of each log; the next bundle has to go on from it. The time is yours to say, too: what the bundle says of itself is not believed.

    coffer audit verify --log . --from ${range.from} --to ${range.to} --identity CLUSTER=coffer-identity-1-…
    coffer audit verify … --checkpoint CHECKPOINT-OF-LAST-TIME …
    coffer audit show --log . --secret NAMESPACE/NAME

Without coffer: a log is a Merkle tree of RFC 6962 in the layout of https://c2sp.org/tlog-tiles, with checkpoints of
https://c2sp.org/tlog-checkpoint; so any program for these reads it, for instance Go's golang.org/x/mod/sumdb/note and tlog. The key is
Ed25519: the 32 bytes in an identity after the prefix, in base64url, without the last 4, which are a checksum. Its name is the first line of
the checkpoint. A record is one line of JSON in \`tile/entries\`.

Only the text of the records of that time is here, in whole tiles of 256, and as much on both sides as it takes to see that nothing of that
time is missing; of all others the hashes, which is enough for every proof.
`;
}

function rowOf({ origin, folder, from, to, identity }: BundledLog, report: Verified | undefined): string {
  const text = to < from ? 'none' : `${from} to ${to}`;
  return `| \`${origin}\` | \`${folder}\` | ${report?.size ?? 0} | ${text} | \`${identity}\` |`;
}
