/** The operator with its volumes server on a real API server, and somebody who calls that server as node plugins and people do. */
import { createHash, createPrivateKey, randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type KubeObject, RESOURCES } from '../../../operator/kubernetes/resource.ts';
import { ownAddress } from '../../cluster/ports.ts';
import type { OperatorProcess } from '../../operator/site.ts';
import { KubernetesStage } from './stage.ts';

/** The same whenever the operator starts, so that node plugins find it again. */
const PORT = 20_443;

export interface Called {
  status: number;
  headers: IncomingMessage['headers'];
  body: Buffer;
  /** Of a refusal. */
  code?: string;
  message?: string;
}

export class VolumesScene {
  readonly stage: KubernetesStage;
  readonly address: string;
  operator: OperatorProcess | undefined;

  private constructor(stage: KubernetesStage, address: string) {
    this.stage = stage;
    this.address = address;
  }

  /**
   * Not started: files are committed first. Pods of `stage.app` may mount; no Secrets are made, unless they are asked for. `audit`: where
   * the log is.
   */
  static async open(
    t: TestContext,
    { secrets = false, ...options }: { secrets?: boolean; audit?: string; interval?: string } = {},
  ): Promise<VolumesScene | undefined> {
    const stage = await KubernetesStage.open(t, { apps: 2, ...options });
    if (stage === undefined) return undefined;
    const listen = `${ownAddress()}:${PORT}`;
    const others = secrets ? [{ kubernetesSecrets: { namespaces: [stage.app] } }] : [];
    const projections = [{ volumes: { namespaces: [stage.app], listen } }, ...others];
    stage.configure({ ...options, configuration: { projections } });
    return new VolumesScene(stage, `https://${listen}`);
  }

  get app(): string {
    return this.stage.app;
  }

  /** Resolves when it answers for volumes, and knows what git holds. */
  async start(): Promise<OperatorProcess> {
    const operator = await this.stage.startAndProject();
    await operator.line(({ msg }) => msg === 'listening for volumes');
    this.operator = operator;
    return operator;
  }

  /** Again, over the state that the last one left. */
  async startAgain(): Promise<void> {
    this.operator = await this.stage.start();
    await this.operator.line(({ msg }) => msg === 'listening for volumes');
  }

  async push(files: Record<string, string | null>): Promise<void> {
    if (this.operator === undefined) throw new Error('the operator was not started');
    await this.stage.push(this.operator, files);
  }

  /** What a node plugin mounts: the ConfigMap, as kubelet shows it in a container. */
  async trustDirectory(): Promise<string> {
    const directory = this.stage.site.path('trust');
    await mkdir(directory, { recursive: true });
    const data = await this.#trust();
    for (const [name, text] of Object.entries(data)) await writeFile(join(directory, name), text);
    return directory;
  }

  async serviceAccount(name: string, namespace = this.app): Promise<void> {
    await this.stage.client.create(RESOURCES.serviceAccounts, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name, namespace },
    });
  }

  /** A pod that no node runs: enough for a token to be bound to. Returns its uid. */
  async pod(name: string, serviceAccountName: string, namespace = this.app): Promise<string> {
    const { metadata } = await this.stage.client.create<KubeObject>(RESOURCES.pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace },
      spec: { serviceAccountName, containers: [{ name: 'main', image: 'none' }] },
    });
    return metadata.uid ?? '';
  }

  /** As kubelet gets it for a pod; `audience` undefined: the API server's own. */
  async token(
    serviceAccount: string,
    {
      pod,
      audience = 'csi.coffer.dev',
      namespace = this.app,
    }: { pod?: { name: string; uid: string }; audience?: string | undefined; namespace?: string } = {},
  ): Promise<string> {
    const boundObjectRef = pod && { kind: 'Pod', apiVersion: 'v1', ...pod };
    const audiences = audience === '' ? {} : { audiences: [audience] };
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccount}/token`;
    const spec = { ...audiences, expirationSeconds: 600, ...(boundObjectRef && { boundObjectRef }) };
    return JSON.parse(await this.stage.cluster.admin.expect('POST', path, { spec })).status.token;
  }

  /** The claims of a token with changes, signed by the cluster's own key. */
  async resigned(token: string, changes: Record<string, unknown>): Promise<string> {
    const [header = '', claims = ''] = token.split('.');
    const changed = { ...JSON.parse(Buffer.from(claims, 'base64url').toString()), ...changes, jti: randomUUID() };
    const text = `${header}.${Buffer.from(JSON.stringify(changed)).toString('base64url')}`;
    const pem = await readFile(join(this.stage.cluster.directory, 'service-accounts.key'));
    const key = { key: createPrivateKey(pem), dsaEncoding: 'ieee-p1363' as const };
    return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
  }

  mount(token: string, body: object = { secret: 'db' }): Promise<Called> {
    return this.call('/v1/mount', token, JSON.stringify(body));
  }

  async call(path: string, token: string | undefined, text: string, method = 'POST'): Promise<Called> {
    const { 'ca.crt': ca, serverName } = await this.#trust();
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const asking = request(new URL(path, this.address), { method, ca, servername: serverName, headers, agent: false });
    // A connection may also break when its answer has come.
    asking.on('error', () => undefined);
    asking.end(text);
    const [response] = (await once(asking, 'response')) as [IncomingMessage];
    const body = Buffer.concat(await Array.fromAsync(response as AsyncIterable<Buffer>));
    const { statusCode = 0 } = response;
    const refusal = statusCode >= 400 ? JSON.parse(body.toString()) : {};
    return { status: statusCode, headers: response.headers, body, ...refusal };
  }

  /** Lines of the record with this action, without what differs each time. */
  record(action: string): Record<string, unknown>[] {
    const lines = this.stage.site.audit().filter((line) => line.action === action);
    return lines.map(({ sequence, time, operation, ...line }) => line);
  }

  async #trust(): Promise<Record<'ca.crt' | 'serverName', string>> {
    const name = { namespace: this.stage.home, name: 'coffer-serving-ca' };
    const found = await this.stage.client.get<KubeObject & { data: Record<'ca.crt' | 'serverName', string> }>(
      RESOURCES.configMaps,
      name,
    );
    if (found === undefined) throw new Error('the operator has published no authority');
    return found.data;
  }
}

/** A text that is nowhere else. */
export function canary(what: string): string {
  return `canary-${what}-${createHash('sha256').update(`${what}${randomUUID()}`).digest('hex').slice(0, 16)}`;
}
