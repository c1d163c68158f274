/** A host whose operator trusts commits by who signed them, and the people who sign, with keys of the real ssh-keygen. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type OperatorProcess, Site, type SiteOptions } from './site.ts';

export interface TrustOptions extends SiteOptions {
  /** Of the source; `policy` is filled in. */
  trust?: Record<string, unknown>;
  /** `spec` of the policy, but for signers. */
  policy?: object;
  /** Who may sign. */
  people?: readonly string[];
  /** Another host's repository is followed. */
  like?: TrustSite;
}

export class TrustSite {
  readonly site: Site;
  readonly #options: TrustOptions;

  private constructor(site: Site, options: TrustOptions) {
    this.site = site;
    this.#options = options;
  }

  static async open(t: TestContext, options: TrustOptions = {}): Promise<TrustSite> {
    const { like } = options;
    const git = { ...options.git, ...(like === undefined ? {} : { url: like.site.tree.directory }) };
    const trusting = new TrustSite(await Site.open(t, { ...options, git }), options);
    const { site } = trusting;
    fs.writeFileSync(site.path('signers'), like === undefined ? '' : fs.readFileSync(like.site.path('signers')));
    fs.writeFileSync(site.path('revoked'), '');
    if (like === undefined) for (const name of options.people ?? ['ada', 'bob']) trusting.know(name);
    trusting.policy(options.policy);
    trusting.configure();
    if (like === undefined) await site.tree.git('config', 'gpg.format', 'ssh');
    return trusting;
  }

  /** Of the source, with changes to its `trust`, and others. */
  configure(trust: Record<string, unknown> = {}, git: Record<string, unknown> = {}, rest: object = {}): void {
    const { interval = '1h', like } = this.#options;
    this.site.configure({
      sources: [
        {
          git: {
            ...{ url: like?.site.tree.directory ?? 'repository', interval, ...this.#options.git, ...git },
            trust: { mode: 'strict', policy: 'policy.yaml', ...this.#options.trust, ...trust },
          },
        },
      ],
      ...rest,
    });
  }

  policy(rules: object = {}): void {
    const ssh = { allowedSigners: 'signers', revoked: 'revoked' };
    const spec = { signers: { ssh }, ...rules };
    const metadata = { name: 'policy' };
    const text = JSON.stringify({ apiVersion: 'coffer.dev/v1', kind: 'TrustPolicy', metadata, spec });
    this.replace('policy.yaml', text);
  }

  /** As configuration management does it. */
  replace(name: string, text: string): void {
    fs.writeFileSync(this.site.path(`${name}.new`), text);
    fs.renameSync(this.site.path(`${name}.new`), this.site.path(name));
  }

  /** Makes a key for somebody, and lets them sign. */
  know(name: string): void {
    const key = this.#key(name);
    if (!fs.existsSync(key)) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', key]);
    const [type, text] = fs.readFileSync(`${key}.pub`, 'utf8').split(' ');
    const before = fs.readFileSync(this.site.path('signers'), 'utf8');
    this.replace('signers', `${before}${name} namespaces="git" ${type} ${text}\n`);
  }

  revoke(name: string): void {
    this.replace('revoked', fs.readFileSync(`${this.#key(name)}.pub`, 'utf8'));
  }

  /** Commits what is signed by somebody; `undefined`: by nobody. */
  async commit(signer: string | undefined, files: Record<string, string | null>, message?: string): Promise<string> {
    await this.signAs(signer);
    return this.site.tree.commit(files, message);
  }

  async signAs(signer: string | undefined): Promise<void> {
    const { tree } = this.site;
    await tree.git('config', 'commit.gpgsign', signer === undefined ? 'false' : 'true');
    if (signer !== undefined) await tree.git('config', 'user.signingkey', `${this.#key(signer)}.pub`);
  }

  /** What its manifest gives to `payments/api`. */
  secret(name: string): string | undefined {
    return this.site.read('payments', 'api', name, 'password');
  }

  manifest(name: string, password: string, more: object = {}): string {
    return this.site.manifest({ name, data: { password }, ...more });
  }

  #key(name: string): string {
    return join(this.site.root, `${name}-key`);
  }
}

/** Has it look, and waits for the line that says that it took the commit, which it may have done by itself. */
export async function takes(operator: OperatorProcess, commit: string): Promise<void> {
  await operator.wake();
  await operator.line((line) => isTaken(line, commit));
}

function isTaken(line: { msg: string; commit?: string }, commit: string): boolean {
  return line.msg === 'projected a commit' && line.commit === commit;
}

/** Has it look, and waits for the line of a refusal, which comes once: no look may be under way. */
export async function refuses(operator: OperatorProcess, code: string): Promise<void> {
  const { length } = operator.lines;
  await operator.wake();
  await operator.line((line) => operator.lines.indexOf(line) >= length && line.code === code);
}
