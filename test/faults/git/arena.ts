/** The real operator over many sources, each with a team of its own behind a server that can turn hostile. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import type { TestContext } from 'node:test';
import { type OperatorProcess, Site } from '../../operator/site.ts';
import { EvilGit, type GitFault } from '../../servers/evil-git.ts';
import { WorkTree } from '../../servers/work-tree.ts';
import { ask } from './observed.ts';

/** A team's repository, and the secret in it that is called as the team is. */
export interface Team {
  name: string;
  tree: WorkTree;
  url: string;
  /** Changes what the server does from now on; absent: nothing wrong. */
  fault(fault?: GitFault): void;
  /** Commits this value. */
  commit(value: string, more?: Record<string, string | Uint8Array | null>): Promise<string>;
  /** The manifest with this value, as a file. */
  manifest(value: string): string;
  /** Text for a credential file of the source; it must never be found anywhere. */
  plant(file: string, text?: string): string;
}

export class Arena {
  readonly site: Site;
  readonly server: EvilGit;
  /** Serves the same to anybody, and remembers what it was asked. */
  readonly elsewhere: EvilGit;
  readonly teams = new Map<string, Team>();
  readonly #planted: string[] = [];

  private constructor(site: Site, server: EvilGit, elsewhere: EvilGit) {
    this.site = site;
    this.server = server;
    this.elsewhere = elsewhere;
  }

  static async open(t: TestContext): Promise<Arena> {
    const site = await Site.open(t);
    fs.mkdirSync(site.path('teams'));
    fs.mkdirSync(site.path('credentials'));
    const server = await EvilGit.start(site.path('teams'));
    t.after(() => server.close());
    const elsewhere = await EvilGit.start(site.path('teams'));
    t.after(() => elsewhere.close());
    return new Arena(site, server, elsewhere);
  }

  async team(name: string): Promise<Team> {
    const { site, server } = this;
    fs.cpSync(site.tree.directory, site.path('teams', name), { recursive: true });
    const tree = await WorkTree.init(site.path('teams', name));
    const manifest = (value: string) => site.manifest({ name, readers: ['api'], data: { value } });
    const team: Team = {
      name,
      tree,
      url: `${server.url}/${name}`,
      manifest,
      fault: (fault) => void (fault === undefined ? server.faults.delete(name) : server.faults.set(name, fault)),
      commit: (value, more = {}) => tree.commit({ [`${name}.yaml`]: manifest(value), ...more }, value),
      plant: (file, text = `canary-${randomBytes(12).toString('hex')}`) => {
        const path = site.path('credentials', `${name}-${file}`);
        fs.writeFileSync(path, `${text}\n`, { mode: 0o600 });
        this.#planted.push(text);
        return path;
      },
    };
    this.teams.set(name, team);
    await team.commit('old');
    return team;
  }

  /** The value of a team's secret, as its workload reads it. */
  value(name: string): string | undefined {
    return this.site.read('payments/api', name, 'value');
  }

  /** In MiB. */
  disk(): number {
    // It counts on where a file goes meanwhile.
    const { stdout } = spawnSync('du', ['-sk', this.site.path('state')], { encoding: 'utf8' });
    return Number.parseInt(stdout, 10) / 1024;
  }

  /** Ends the operator, and searches all that it said and left for what was planted. */
  async endWithoutTrace(operator: OperatorProcess): Promise<void> {
    const shown = [(await ask(operator, '/status')).text, (await ask(operator, '/metrics')).text];
    assert.equal(await operator.end(), 0);
    const said = [operator.output, ...shown].map((text) => ({ path: 'what it said', bytes: Buffer.from(text) }));
    const texts = [...said, ...this.site.files()];
    for (const planted of this.#planted) {
      const forms = [planted, Buffer.from(planted).toString('base64').slice(4, -4), encodeURIComponent(planted)];
      for (const { path, bytes } of texts) {
        for (const form of forms) assert.ok(!bytes.includes(form), `a credential is found in ${path}`);
      }
    }
  }
}

/** A source's own token, which the server wants. */
export function bearer(team: Team, arena: Arena): Record<string, unknown> {
  const token = `canary-${randomBytes(12).toString('hex')}`;
  arena.server.wanted.set(team.name, `Bearer ${token}`);
  return { bearerFile: team.plant('bearer', token) };
}
