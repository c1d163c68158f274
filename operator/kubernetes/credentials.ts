import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import type { KubernetesSettings } from '../config/settings.ts';
import { KubernetesError } from './kubernetes-error.ts';

/** How the server is reached, and as whom. */
export interface Access {
  headers: Record<string, string>;
  tls: { ca?: string; cert?: string; key?: string; servername?: string };
}

/** Milliseconds for which headers and certificates hold: client-node would read the CA's file for every request. */
const FRESH_FOR = 10_000;
/** Milliseconds: credential plugins may ask a cloud, or a person. */
const PLUGIN_TIMEOUT = 60_000;
const DEFAULT_NAMESPACE = 'coffer-system';

/**
 * The server's address and the operator's credentials, by client-node's KubeConfig: the ServiceAccount's token, which kubelet
 * rotates, or a kubeconfig with tokens, client certificates, exec plugins and proxies. Read again from time to time, and at
 * once when the server refuses them.
 */
export class Credentials {
  readonly #settings: KubernetesSettings;
  #config: KubeConfig;
  #access: Promise<Access> | undefined;
  #until = 0;

  /** Throws CofferError `KUBERNETES_CONFIG`. */
  static async open(settings: KubernetesSettings): Promise<Credentials> {
    return new Credentials(settings, await load(settings));
  }

  private constructor(settings: KubernetesSettings, config: KubeConfig) {
    this.#settings = settings;
    this.#config = config;
    // What is wrong with the address is said at start.
    this.server;
  }

  /** https always: without TLS neither the server nor the answers are who they say. */
  get server(): URL {
    const cluster = this.#config.getCurrentCluster();
    const url = URL.parse(cluster?.server ?? '');
    if (url === null) throw unusable('names no cluster in its context', this.#settings);
    if (url.protocol !== 'https:') throw unusable('reaches the server without TLS', this.#settings);
    if (cluster?.skipTLSVerify) {
      throw unusable('says insecure-skip-tls-verify, with which anybody could be the server', this.#settings);
    }
    if (this.proxy !== undefined && !/^https?:/.test(this.proxy)) {
      throw unusable('names a proxy that is not of http or https', this.#settings);
    }
    return url;
  }

  get proxy(): string | undefined {
    return this.#config.getCurrentCluster()?.proxyUrl || undefined;
  }

  /** The operator's own. */
  get namespace(): string {
    const { namespace, kubeconfig } = this.#settings;
    const ofPod = kubeconfig === undefined ? this.#config.getContextObject(this.#config.currentContext)?.namespace : '';
    return namespace ?? (ofPod || DEFAULT_NAMESPACE);
  }

  /** Throws KubernetesError `KUBERNETES_CONFIG`, `KUBERNETES_UNAUTHORIZED` (a plugin failed). */
  access(): Promise<Access> {
    if (this.#access !== undefined && performance.now() < this.#until) return this.#access;
    const access = this.#read();
    this.#access = access;
    this.#until = performance.now() + FRESH_FOR;
    // A failure holds no longer than the callers that wait for it.
    access.catch(() => {
      if (this.#access === access) this.#access = undefined;
    });
    return access;
  }

  /** The server did not accept them: everything is read again, plugins run again. */
  async renew(): Promise<void> {
    this.#config = await load(this.#settings);
    this.#access = undefined;
  }

  async #read(): Promise<Access> {
    const options: RequestOptions = {};
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error('timeout')), PLUGIN_TIMEOUT);
    try {
      await Promise.race([this.#config.applyToHTTPSOptions(options), late]);
    } catch {
      // What a plugin prints, and what client-node says of it, may hold tokens.
      throw new KubernetesError(
        'KUBERNETES_UNAUTHORIZED',
        'The credentials for the Kubernetes API could not be read.',
        {
          advice: 'Check the files and the credential plugin that the kubeconfig names, as the user of the operator.',
          loop: 'retry',
        },
      );
    } finally {
      clearTimeout(timer);
    }
    const headers = Object.fromEntries(
      Object.entries(options.headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]),
    );
    if (options.auth) headers.authorization = `Basic ${Buffer.from(options.auth).toString('base64')}`;
    const { ca, cert, key, servername } = options;
    return {
      headers,
      tls: {
        ...(ca == null ? {} : { ca: String(ca) }),
        ...(cert == null ? {} : { cert: String(cert) }),
        ...(key == null ? {} : { key: String(key) }),
        ...(servername === undefined ? {} : { servername }),
      },
    };
  }
}

/** The library is heavy and only this needs it: it is loaded where Kubernetes is configured. */
async function load(settings: KubernetesSettings): Promise<KubeConfig> {
  const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js');
  const config = new KubeConfig();
  try {
    if (settings.kubeconfig !== undefined) config.loadFromFile(settings.kubeconfig);
    else if (process.env.KUBERNETES_SERVICE_HOST === undefined) throw new Error('no pod');
    else config.loadFromCluster();
  } catch {
    // The parser's message quotes the file.
    if (settings.kubeconfig !== undefined) throw unusable('cannot be read', settings);
    throw new KubernetesError('KUBERNETES_CONFIG', 'The operator runs in no pod, and no kubeconfig is configured.', {
      advice: 'Set kubernetes.kubeconfig in the configuration, or run the operator in the cluster.',
      loop: 'stop',
    });
  }
  if (settings.context !== undefined) config.setCurrentContext(settings.context);
  return config;
}

function unusable(what: string, { kubeconfig }: KubernetesSettings): KubernetesError {
  const place = kubeconfig === undefined ? "The pod's access to the Kubernetes API" : 'The kubeconfig';
  return new KubernetesError('KUBERNETES_CONFIG', `${place} ${what}.`, {
    advice: 'Check kubernetes.kubeconfig and kubernetes.context in the configuration, and the file itself.',
    ...(kubeconfig === undefined ? {} : { data: { file: kubeconfig } }),
    exit: 2,
    loop: 'stop',
  });
}
