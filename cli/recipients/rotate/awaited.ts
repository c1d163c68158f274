import { activeKey } from '../../../core/keys/recipient.ts';
import { isRotated } from '../../../core/requests/fulfilled.ts';
import type { Request } from '../../../core/requests/request.ts';
import { missingStanzas } from '../../../core/rotation/join.ts';
import { recipientOf, type Workspace } from '../../workspace/workspace.ts';
import { manifestFiles } from '../manifest-files.ts';
import { requestsIn } from '../requests.ts';

/** Whether the operator of a cluster has something to do: a request for a new key, or stanzas of an older one. */
export async function isAwaited(workspace: Workspace, name: string): Promise<boolean> {
  const recipient = recipientOf(workspace, name);
  const isOpen = (request: Request) =>
    request.kind === 'rotate' && request.recipient === name && !isRotated(request, recipient);
  if ((await requestsIn(workspace)).some(isOpen)) return true;
  const key = activeKey(recipient);
  if (key === undefined) return false;
  // `coffer check` tells of what cannot be read.
  for await (const { file } of manifestFiles(workspace, () => undefined)) {
    for (const manifest of file.manifests) {
      if (!manifest.recipients.includes(name)) continue;
      if (missingStanzas(manifest, { recipient: name, kid: key.kid }).length > 0) return true;
    }
  }
  return false;
}
