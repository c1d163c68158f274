import { tooLarge } from '../../core/audit/directory-store.ts';
import type { LogStore } from '../../core/audit/store.ts';
import { CofferError } from '../../core/errors.ts';

const PATIENCE = 30_000;

/** A log that is served over HTTP, as C2SP tlog-tiles says: an operator's `/audit/`, or any copy. */
export class UrlStore implements LogStore {
  readonly place: string;

  /** `url`: http or https, with or without a last slash. Throws CofferError `AUDIT_URL`. */
  constructor(url: string) {
    if (!URL.canParse(url)) throw unreachable(url, 'it is no URL');
    this.place = url.replace(/\/*$/, '');
  }

  /** Throws CofferError `AUDIT_URL`, `AUDIT_TOO_LARGE`. */
  async read(path: string, limit: number): Promise<Buffer | undefined> {
    const url = `${this.place}/${path}`;
    try {
      const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(PATIENCE) });
      if (response.status === 404) {
        await response.body?.cancel();
        return undefined;
      }
      if (response.status !== 200) throw unreachable(url, `it answers ${response.status}`);
      return await bodyOf(response, url, limit);
    } catch (error) {
      if (error instanceof CofferError) throw error;
      throw unreachable(url, error instanceof Error ? error.name : 'it failed', error);
    }
  }
}

async function bodyOf(response: Response, url: string, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > limit) throw tooLarge(url, limit);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function unreachable(url: string, why: string, cause?: unknown): CofferError {
  return new CofferError('AUDIT_URL', `The log cannot be read from ${url}: ${why}.`, {
    advice: 'For an operator in a cluster, forward its port first: kubectl port-forward, docs/audit.md.',
    cause,
  });
}
