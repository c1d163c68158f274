import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { contents } from '../../core/check/tree.ts';
import { CofferError } from '../../core/errors.ts';
import { placeFile } from '../../core/files/place-file.ts';
import { readIfThere } from '../../core/files/read-if-there.ts';
import { isRequestPath, type Request, readRequest, renderRequest, requestFile } from '../../core/requests/request.ts';
import { workingTree } from '../git/trees.ts';
import type { Workspace } from '../workspace/workspace.ts';

/** The open requests of the working tree; `coffer check` tells of those that cannot be read. */
export async function requestsIn({ root }: Pick<Workspace, 'root'>): Promise<Request[]> {
  const tree = await workingTree(root);
  const files = [...tree.files.values()].filter(({ path, kind }) => kind === 'file' && isRequestPath(path));
  const requests: Request[] = [];
  for await (const { file, bytes } of contents(tree, files)) {
    try {
      requests.push(readRequest(bytes, file.path));
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
    }
  }
  return requests;
}

/** The same wish is the same file: one that is there keeps its time, unless `instead` says that it asks for less. The paths written. */
export async function putRequest(
  { root }: Pick<Workspace, 'root'>,
  request: Request,
  instead: (there: Request) => boolean = () => false,
): Promise<string[]> {
  const file = requestFile(request.id);
  const path = join(root, file);
  const there = await readIfThere(path);
  if (there !== '' && !instead(readRequest(Buffer.from(there), file))) return [];
  await placeFile(path, renderRequest(request));
  return [file];
}

/** The paths removed. */
export async function dropRequest({ root }: Pick<Workspace, 'root'>, { id }: Pick<Request, 'id'>): Promise<string[]> {
  const file = requestFile(id);
  if ((await readIfThere(join(root, file))) === '') return [];
  await unlink(join(root, file));
  return [file];
}
