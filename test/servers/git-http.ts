import { Bug } from '../../core/errors.ts';

export interface GitHttpOptions {
  /** Every repository below it is served. */
  root: string;
  /** 0, the default: any free one. */
  port?: number;
  auth?: { username: string; password: string } | { bearer: string };
  tls?: { key: string | Buffer; cert: string | Buffer };
}

/** `git http-backend` behind a small HTTP server: what a team's git server is to an operator. */
export class GitHttpServer {
  readonly url: string = '';

  static async start(_options: GitHttpOptions): Promise<GitHttpServer> {
    throw new Bug('not written yet');
  }

  async close(): Promise<void> {
    throw new Bug('not written yet');
  }
}
