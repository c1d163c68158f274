import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { GitHttpServer } from './git-http.ts';
import { closing } from './listening.ts';

/** How far an exchange has come when it breaks off. `advertisement` and `negotiation` end half-way, `pack end` ten bytes early. */
export type Stage =
  | 'connection'
  | 'advertisement'
  | 'request'
  | 'negotiation'
  | 'pack start'
  | 'pack middle'
  | 'pack end';

interface Break {
  /** `end`: as if all had been sent; `drip`: what is left comes, ten bytes a second. */
  kind: 'reset' | 'end' | 'hang' | 'drip';
  at: Stage;
}

export type GitFault =
  | Break
  /** Of every request, or of those for a pack. Git is not asked. */
  | {
      kind: 'status';
      status: number;
      of?: 'advertisement' | 'pack';
      headers?: Record<string, string>;
      body?: string | Uint8Array;
    }
  /** The git server's answer is another. */
  | { kind: 'spoil'; of: 'advertisement' | 'pack'; change: (answer: Buffer, request: Buffer) => Buffer }
  /** Every request goes to the same path elsewhere. */
  | { kind: 'redirect'; to: string; status?: number }
  /** Answers for ever what `piece` gives, as fast as it is taken. */
  | { kind: 'flood'; of: 'advertisement' | 'pack'; head: Uint8Array; piece: () => Uint8Array };

export interface Asked {
  repository: string;
  path: string;
  authorization: string | undefined;
  headers: IncomingMessage['headers'];
}

/** The real git server, behind one that does to each repository's answers what hostile servers and networks do. */
export class EvilGit {
  /** Name of the repository → what happens to it from now on. */
  readonly faults = new Map<string, GitFault>();
  /** Name of the repository → the value of Authorization that is wanted; absent: anybody may read. */
  readonly wanted = new Map<string, string>();
  readonly asked: Asked[] = [];
  readonly #git: GitHttpServer;
  readonly #server: Server;
  readonly #close: () => Promise<void>;

  private constructor(git: GitHttpServer) {
    this.#git = git;
    this.#server = createServer((incoming, outgoing) => {
      this.#serve(incoming, outgoing).catch(() => outgoing.destroy());
    });
    this.#close = closing(this.#server);
  }

  /** Serves every repository in a folder: `${url}/NAME` is NAME/.git. */
  static async start(root: string): Promise<EvilGit> {
    const evil = new EvilGit(await GitHttpServer.start({ root }));
    evil.#server.listen(0, '127.0.0.1');
    await once(evil.#server, 'listening');
    return evil;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    await this.#close();
    await this.#git.close();
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const url = incoming.url ?? '/';
    const [, repository = '', rest = ''] = /^\/([^/]+)(\/.*)$/.exec(url) ?? [];
    const { authorization } = incoming.headers;
    this.asked.push({ repository, path: rest, authorization, headers: incoming.headers });
    const fault = this.faults.get(repository);
    const part = incoming.method === 'GET' ? 'advertisement' : 'pack';
    if (fault !== undefined && 'at' in fault && fault.at === 'connection') {
      return await breakOff(fault.kind, outgoing, Buffer.from('001e# service=git-upload-pack\n'));
    }
    const body = await gather(incoming);
    if (fault?.kind === 'redirect') {
      return void outgoing.writeHead(fault.status ?? 302, { location: `${fault.to}${url}` }).end();
    }
    if (fault?.kind === 'status' && (fault.of ?? part) === part) {
      return void outgoing.writeHead(fault.status, fault.headers).end(fault.body ?? 'no');
    }
    const wanted = this.wanted.get(repository);
    if (wanted !== undefined && authorization !== wanted) {
      const challenge = 'Bearer error="invalid_token", error_description="The access token expired"';
      return void outgoing.writeHead(401, { 'www-authenticate': challenge }).end(`no: ${authorization}`);
    }
    if (fault?.kind === 'flood' && fault.of === part) return await flood(fault, outgoing);
    const answer = await this.#askGit(incoming, `/${repository}/.git${rest}`, body);
    if (fault === undefined || fault.kind === 'flood' || fault.kind === 'status') return send(outgoing, answer);
    if (fault.kind === 'spoil') {
      const spoilt = fault.of === part ? fault.change(answer.body, body) : answer.body;
      return send(outgoing, { ...answer, body: spoilt });
    }
    const length = lengthAt(fault.at, part, answer.body);
    if (length === undefined) return send(outgoing, answer);
    if (fault.at !== 'request' || fault.kind === 'drip') {
      outgoing.writeHead(answer.status, answer.headers);
      outgoing.flushHeaders();
      await new Promise<void>((resolve) => outgoing.write(answer.body.subarray(0, length), () => resolve()));
    }
    await breakOff(fault.kind, outgoing, answer.body.subarray(length));
  }

  async #askGit({ method, headers }: IncomingMessage, path: string, body: Buffer): Promise<Answer> {
    const asked = request(this.#git.url + path, { method, headers, agent: false });
    // A connection may also break when its answer has begun.
    asked.on('error', () => undefined);
    asked.end(body);
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    const { 'transfer-encoding': _, 'content-length': __, ...kept } = answer.headers;
    return { status: answer.statusCode ?? 500, headers: kept, body: await gather(answer) };
  }
}

interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

function send(outgoing: ServerResponse, { status, headers, body }: Answer): void {
  outgoing.writeHead(status, headers).end(body);
}

/** How much of an answer comes; undefined: all, it is not this answer that breaks. */
function lengthAt(stage: Stage, part: 'advertisement' | 'pack', answer: Buffer): number | undefined {
  if (part === 'advertisement') return stage === 'advertisement' ? answer.length >> 1 : undefined;
  const pack = answer.indexOf('PACK');
  switch (stage) {
    case 'request':
      return 0;
    case 'negotiation':
      return pack >> 1;
    case 'pack start':
      return pack + 12;
    case 'pack middle':
      return (pack + answer.length) >> 1;
    case 'pack end':
      return answer.length - 10;
    default:
      return undefined;
  }
}

async function breakOff(kind: Break['kind'], outgoing: ServerResponse, rest: Buffer): Promise<void> {
  if (kind === 'reset') return void outgoing.socket?.resetAndDestroy();
  if (kind === 'end') return void (outgoing.headersSent ? outgoing.end() : outgoing.destroy());
  if (kind === 'hang') return;
  if (!outgoing.headersSent) {
    outgoing.writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' });
  }
  for (let at = 0; at < rest.length && !outgoing.destroyed; at++) {
    outgoing.write(rest.subarray(at, at + 1));
    await setTimeout(100);
  }
}

async function flood({ of, head, piece }: GitFault & { kind: 'flood' }, outgoing: ServerResponse): Promise<void> {
  const type = of === 'pack' ? 'result' : 'advertisement';
  outgoing.writeHead(200, { 'content-type': `application/x-git-upload-pack-${type}` });
  outgoing.write(head);
  while (!outgoing.destroyed) {
    if (!outgoing.write(piece())) await Promise.race([once(outgoing, 'drain'), once(outgoing, 'close')]);
  }
}

async function gather(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}
