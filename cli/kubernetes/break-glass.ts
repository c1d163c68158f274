import { readFile } from 'node:fs/promises';
import { CofferError } from '../../core/errors.ts';
import { parseJson } from '../../core/json.ts';
import { BREAK_GLASS_AUDIENCE, RECIPIENT_CONFIG_MAP, SERVING_CONFIG_MAP } from '../../core/requests/published.ts';
import { Cluster, type ClusterChoice } from './cluster.ts';

export interface BreakGlass extends ClusterChoice {
  /** The recipient whose operator is asked. */
  cluster: string;
  /** Where it runs. */
  operatorNamespace: string;
  /** Where its TLS server is reached: by a port-forward, usually. */
  url: string;
  /** A file with a bearer token; absent: that of the kubeconfig. */
  tokenFile?: string | undefined;
  namespace: string;
  name: string;
  entry: string;
  reason: string;
}

/** Milliseconds. */
const PATIENCE = 30_000;
/** Bytes; a manifest is smaller. */
const LARGEST_VALUE = 2 * 1024 * 1024;

interface Serving {
  ca: string;
  serverName: string;
}

/**
 * Has an operator open a value for a person: it asks the API server who that is and whether they may, and writes a record before
 * it answers. Returns the bytes of the value, which the caller wipes. Throws BREAK_GLASS_*, CLUSTER_*, and what the operator
 * refuses, with its code.
 */
export async function breakGlass(asked: BreakGlass): Promise<Buffer> {
  if (URL.parse(asked.url)?.protocol !== 'https:') throw withoutTls();
  const cluster = await Cluster.open(asked);
  const { ca, serverName } = await servingOf(cluster, asked);
  const token = await tokenOf(cluster, asked);
  const { Agent, request } = await import('undici');
  const dispatcher = new Agent({ connect: { ca, servername: serverName, timeout: PATIENCE } });
  const { namespace, name, entry, reason } = asked;
  try {
    const answer = await request(new URL('/v1/break-glass', asked.url), {
      method: 'POST',
      dispatcher,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ namespace, name, entry, reason }),
      signal: AbortSignal.timeout(PATIENCE),
    });
    const body = await bytesOf(answer.body);
    if (answer.statusCode === 200) return body;
    throw refusal(body, answer.statusCode);
  } catch (cause) {
    if (cause instanceof CofferError) throw cause;
    throw unreachable(asked, cause);
  } finally {
    await dispatcher.destroy();
  }
}

/** By what the operator's certificate is known; and that it is the operator of this cluster. */
async function servingOf(cluster: Cluster, { cluster: wanted, operatorNamespace }: BreakGlass): Promise<Serving> {
  const path = (name: string) => `/api/v1/namespaces/${encodeURIComponent(operatorNamespace)}/configmaps/${name}`;
  const announced = await cluster.get<{ data?: { cluster?: string } }>(path(RECIPIENT_CONFIG_MAP));
  const actual = announced?.data?.cluster;
  if (actual !== undefined && actual !== wanted) {
    throw new CofferError(
      'BREAK_GLASS_OTHER_CLUSTER',
      `the context ${cluster.context} leads to ${actual}, not to ${wanted}`,
      {
        advice: 'Name the context of the cluster with --context.',
        data: { recipient: wanted },
        exit: 2,
      },
    );
  }
  const serving = await cluster.get<{ data?: Record<string, string> }>(path(SERVING_CONFIG_MAP));
  const { 'ca.crt': ca, serverName } = serving?.data ?? {};
  if (ca !== undefined && serverName !== undefined) return { ca, serverName };
  throw new CofferError('BREAK_GLASS_NOT_SERVED', `the operator in namespace ${operatorNamespace} serves no reading`, {
    advice: 'Configure a projection `volumes` there, or name its namespace with --namespace.',
    data: { namespace: operatorNamespace },
  });
}

async function tokenOf(cluster: Cluster, { tokenFile }: BreakGlass): Promise<string> {
  const token = tokenFile === undefined ? await cluster.token() : (await readFile(tokenFile, 'utf8')).trim();
  if (token !== undefined && /^[\x21-\x7e]+$/.test(token)) return token;
  throw new CofferError(
    'BREAK_GLASS_NO_TOKEN',
    'the credentials for this cluster are no bearer token, which is what the operator can check',
    {
      advice: `Make one of a ServiceAccount that may: \`kubectl create token NAME --audience ${BREAK_GLASS_AUDIENCE} > token\`, and give --token-file token.`,
    },
  );
}

async function bytesOf(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > LARGEST_VALUE) throw new Error('an answer without end');
    chunks.push(chunk);
  }
  const all = Buffer.alloc(length);
  let offset = 0;
  for (const chunk of chunks) {
    offset += chunk.copy(all, offset);
    chunk.fill(0);
  }
  return all;
}

/** The operator's own words: they hold no value. */
function refusal(body: Buffer, status: number): CofferError {
  const { code, message, advice } = fieldsOf(body);
  if (code !== undefined && message !== undefined) {
    return new CofferError(code, message, { advice: advice ?? 'Look into the operator’s log.' });
  }
  return new CofferError('BREAK_GLASS_REFUSED', `the operator refused (${status})`, {
    advice: 'Look into its log; it may be starting, or not lead.',
  });
}

function fieldsOf(body: Buffer): { code?: string; message?: string; advice?: string } {
  const answer = parseJson(body.toString());
  if (typeof answer !== 'object' || answer === null) return {};
  return Object.fromEntries(Object.entries(answer).filter(([, value]) => typeof value === 'string'));
}

/** The token is a person's: it goes to nobody but the operator that the cluster vouches for. */
function withoutTls(): CofferError {
  return new CofferError('BREAK_GLASS_URL', 'the address in --url does not begin with https://', {
    advice: 'The operator answers with TLS only: give https://HOST:PORT.',
    exit: 2,
  });
}

function unreachable({ url, operatorNamespace }: BreakGlass, cause: unknown): CofferError {
  const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
  return new CofferError('BREAK_GLASS_UNREACHABLE', `the operator does not answer at ${url}${code}`, {
    advice: `Open the way with \`kubectl -n ${operatorNamespace} port-forward svc/coffer-operator 8790\`, or give --url.`,
    cause,
  });
}
