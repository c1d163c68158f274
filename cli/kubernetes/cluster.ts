import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import type { Dispatcher } from 'undici';
import { CofferError } from '../../core/errors.ts';

/** Which cluster a person means, as kubectl's flags say it. */
export interface ClusterChoice {
  /** Absent: `KUBECONFIG`, else `~/.kube/config`. */
  kubeconfig?: string | undefined;
  /** Absent: the current one. */
  context?: string | undefined;
}

/** What client-node calls the context, to a server on localhost without TLS, that it makes up where it finds no kubeconfig. */
const MADE_UP = 'loaded-context';

/** Milliseconds; a person waits for it. */
const PATIENCE = 20_000;

/**
 * What the CLI asks of a cluster, with the credentials of the person who runs it: it reads, and changes nothing.
 *
 * client-node (its import alone takes half a second) only says where the server is and who asks.
 */
export class Cluster {
  /** The context's name, for people. */
  readonly context: string;
  readonly #config: KubeConfig;
  readonly #server: URL;

  /** @throws CofferError CLUSTER_CONFIG */
  static async open(choice: ClusterChoice): Promise<Cluster> {
    const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js');
    const config = new KubeConfig();
    try {
      if (choice.kubeconfig === undefined) config.loadFromDefault();
      else config.loadFromFile(choice.kubeconfig);
    } catch {
      // The parser's message quotes the file, which holds credentials.
      throw unusable(choice, 'cannot be read');
    }
    if (choice.kubeconfig === undefined && config.currentContext === MADE_UP) throw noKubeconfig();
    if (choice.context !== undefined) config.setCurrentContext(choice.context);
    return new Cluster(config, choice);
  }

  private constructor(config: KubeConfig, choice: ClusterChoice) {
    const cluster = config.getCurrentCluster();
    if (cluster === null || cluster === undefined) {
      throw unusable(choice, choice.context === undefined ? 'names no cluster' : `has no context ${choice.context}`);
    }
    const url = URL.parse(cluster.server);
    if (url?.protocol !== 'https:' || cluster.skipTLSVerify) {
      throw unusable(choice, 'reaches the server without TLS, so that anybody could be the server');
    }
    this.#config = config;
    this.#server = url;
    this.context = config.currentContext;
  }

  /** Undefined where there is no such object. @throws CofferError CLUSTER_UNREACHABLE, CLUSTER_REFUSED */
  async get<T>(path: string): Promise<T | undefined> {
    const { access, dispatcher } = await this.#connect();
    try {
      const { status, body } = await this.#ask(path, access, dispatcher);
      if (status === 404) return undefined;
      if (status !== 200) throw refused(this.context, path, status);
      return JSON.parse(body) as T;
    } finally {
      await dispatcher.close();
    }
  }

  /** The bearer token of these credentials, if they have one. */
  async token(): Promise<string | undefined> {
    const { headers = {} } = await this.#access();
    const authorization = Object.entries(headers).find(([name]) => name.toLowerCase() === 'authorization')?.[1];
    return /^Bearer (\S+)$/.exec(String(authorization ?? ''))?.[1];
  }

  async #connect() {
    const access = await this.#access();
    const { Agent, ProxyAgent } = await import('undici');
    const { ca, cert, key, servername } = access;
    const tls = Object.fromEntries(Object.entries({ ca, cert, key, servername }).filter(([, value]) => value != null));
    const proxy = this.#config.getCurrentCluster()?.proxyUrl;
    const dispatcher: Dispatcher = proxy
      ? new ProxyAgent({ uri: proxy, requestTls: tls })
      : new Agent({ connect: { ...tls, timeout: PATIENCE } });
    return { access, dispatcher };
  }

  async #access(): Promise<RequestOptions> {
    const access: RequestOptions = {};
    try {
      await this.#config.applyToHTTPSOptions(access);
      return access;
    } catch {
      // What a plugin prints, and what client-node says of it, may hold tokens.
      throw unusable({ context: this.context }, 'names credentials that cannot be read');
    }
  }

  async #ask(path: string, { headers, auth }: RequestOptions, dispatcher: Dispatcher) {
    const { request } = await import('undici');
    const basic = auth ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {};
    try {
      const answer = await request(new URL(this.#server.pathname.replace(/\/$/, '') + path, this.#server), {
        dispatcher,
        headers: { ...(headers as Record<string, string>), ...basic, accept: 'application/json' },
        signal: AbortSignal.timeout(PATIENCE),
      });
      return { status: answer.statusCode, body: await answer.body.text() };
    } catch (cause) {
      const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
      throw new CofferError('CLUSTER_UNREACHABLE', `the cluster of context ${this.context} cannot be reached${code}`, {
        advice: 'Check the network and the kubeconfig: `kubectl get namespaces` should answer.',
        cause,
      });
    }
  }
}

function noKubeconfig(): CofferError {
  return new CofferError('CLUSTER_CONFIG', 'there is no kubeconfig, so nobody knows which cluster is meant', {
    advice: 'Name one with --kubeconfig FILE. For a host without Kubernetes: see --help (--url, --from-file).',
    exit: 2,
  });
}

function unusable({ kubeconfig }: ClusterChoice, what: string): CofferError {
  const file = kubeconfig ?? process.env.KUBECONFIG ?? '~/.kube/config';
  return new CofferError('CLUSTER_CONFIG', `the kubeconfig ${file} ${what}`, {
    advice: 'Name another with --kubeconfig FILE and --context NAME.',
    data: { file },
    exit: 2,
  });
}

function refused(context: string, path: string, status: number): CofferError {
  return new CofferError(
    'CLUSTER_REFUSED',
    `the cluster of context ${context} answered ${status} to a question for ${path}`,
    {
      advice:
        status === 401 || status === 403
          ? 'Ask who runs the cluster for the right to read it; docs/operations.md says which.'
          : 'Look at the cluster: `kubectl get --raw /readyz?verbose`.',
    },
  );
}
