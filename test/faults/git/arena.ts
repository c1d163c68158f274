/** The real operator over many sources, each with a team of its own behind a server that can turn hostile. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import type { TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { eventually, type OperatorProcess, Site } from '../../operator/site.ts';
import { EvilGit, type GitFault } from '../../servers/evil-git.ts';
import { WorkTree } from '../../servers/work-tree.ts';

/** Nothing here takes so long, on a busy machine neither. */
const PATIENCE = 20_000;

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

export interface Case {
  /** Code of the source's trouble while the fault lasts; absent: the commit is accepted. */
  code?: string | RegExp;
  /** What the message says, beside its code. */
  says?: RegExp;
  /** Of the source's configuration, beside `url` and `allowHttp`. */
  git?(team: Team): Record<string, unknown>;
  /** Turns the fault on. The commit that brings `new` is there already. */
  spoil(team: Team, arena: Arena): void | Promise<void>;
  /** What the team does to mend it, beside a commit on top; the server's fault goes by itself. */
  mend?(team: Team, arena: Arena): void | Promise<void>;
  /** What else must hold while the fault lasts. */
  holds?(team: Team, arena: Arena): void | Promise<void>;
  /** Only where a state was accepted before. */
  isLater?: true;
}

export interface Caps {
  /** Peak of the operator's resident memory, in MiB. */
  memory: number;
  /** Of its state directory while the faults last, in MiB. */
  disk: number;
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
    const shown = [await operator.get('/status'), await operator.get('/metrics')];
    assert.equal(await operator.end(), 0);
    const said = [operator.output, ...shown].map((text) => ({ path: 'what it said', bytes: Buffer.from(text) }));
    const texts = [...said, ...this.site.files()];
    assert.ok(this.#planted.length > 0);
    for (const planted of this.#planted) {
      const forms = [planted, Buffer.from(planted).toString('base64').slice(4, -4), encodeURIComponent(planted)];
      for (const { path, bytes } of texts) {
        for (const form of forms) assert.ok(!bytes.includes(form), `a credential is found in ${path}`);
      }
    }
  }
}

/**
 * `COFFER_FAULT`, a regular expression, leaves out all but some. Every fault at once, each in a source of its own beside one that is well, at the first fetch or at a later one: each
 * is named in the status, what was projected stays, readiness is kept, and each heals when its fault goes.
 */
export async function endure(
  t: TestContext,
  { cases, when, caps }: { cases: Record<string, Case>; when: 'the first fetch' | 'a later fetch'; caps: Caps },
): Promise<void> {
  const arena = await Arena.open(t);
  const isFirst = when === 'the first fetch';
  const only = new RegExp(process.env.COFFER_FAULT ?? '');
  const table = Object.entries(cases).filter(
    ([what, { isLater }]) => only.test(what) && !(isFirst && isLater === true),
  );
  const faulty: { what: string; team: Team; one: Case }[] = [];
  for (const [what, one] of table) {
    faulty.push({ what, one, team: await arena.team(`${nameFor(what)}-${faulty.length}`) });
  }
  const well = await arena.team('well');
  const sources = [
    { team: well, settings: {} },
    ...faulty.map(({ team, one }) => ({ team, settings: one.git?.(team) ?? bearer(team, arena) })),
  ];
  arena.site.configure({
    sources: sources.map(({ team, settings }) => ({
      git: { url: team.url, allowHttp: true, interval: '1h', timeout: '5s', ...settings },
    })),
  });

  let operator: OperatorProcess | undefined;
  if (!isFirst) {
    const running = await arena.site.start();
    operator = running;
    const all = sources.map(
      ({ team }) =>
        async () =>
          arena.value(team.name) === 'old',
    );
    await allWithin(all, () => running.wake());
    await eventually(async () => assert.match(await running.get('/readyz'), /^200/));
  }
  for (const { team, one } of faulty) {
    await team.commit('new');
    await one.spoil(team, arena);
  }
  await well.commit('new');
  if (operator === undefined) operator = await arena.site.start();
  else await operator.wake();
  const running = operator;
  const probing = probe(running, isFirst ? '/healthz' : '/readyz');

  await eventually(() => assert.equal(arena.value('well'), 'new'));
  const isNamed = async (team: Team, { code }: Case) =>
    code === undefined ? arena.value(team.name) === 'new' : isOf((await troubleOf(running, team))?.code, code);
  await allWithin(
    faulty.map(
      ({ team, one }) =>
        () =>
          isNamed(team, one),
    ),
  );
  for (const { what, team, one } of faulty) {
    await t.test(what, async () => {
      if (one.code === undefined) assert.equal(arena.value(team.name), 'new');
      else {
        const trouble = await troubleOf(running, team);
        assert.ok(trouble !== undefined && isOf(trouble.code, one.code), `${trouble?.code}: ${trouble?.message}`);
        assert.match(trouble.message, one.says ?? /./);
        assert.doesNotMatch(trouble.message, /\p{Cc}/u);
        assert.ok(trouble.advice.length > 10);
        assert.equal(arena.value(team.name), isFirst ? undefined : 'old');
      }
      await one.holds?.(team, arena);
    });
  }
  assert.match(await running.get('/readyz'), isFirst ? /^503/ : /^200/);
  const disk = arena.disk();
  assert.ok(disk < caps.disk, `${disk} MiB on disk`);

  for (const { team, one } of faulty) {
    team.fault();
    await one.mend?.(team, arena);
    await team.commit('healed');
  }
  // A wake that comes while it looks, or too soon after, is answered a second later.
  await allWithin(
    faulty.map(
      ({ team }) =>
        async () =>
          arena.value(team.name) === 'healed',
    ),
    () => running.wake(),
  );
  for (const { what, team } of faulty) {
    await t.test(`${what}: heals`, async () => {
      assert.equal(arena.value(team.name), 'healed', JSON.stringify(await troubleOf(running, team)));
    });
  }
  await eventually(async () => assert.match(await running.get('/readyz'), /^200/));
  const probed = await probing.end();
  assert.ok(probed.looks > 0);
  assert.deepEqual(probed.failures, []);
  const memory = peakMemory(running);
  t.diagnostic(
    `${when}: ${Math.round(memory)} MiB of memory at most, ${disk.toFixed(1)} MiB on disk, longest answer ${Math.round(probed.longest)} ms`,
  );
  assert.ok(memory < caps.memory, `${memory} MiB of memory`);
  await arena.endWithoutTrace(running);
}

function isOf(code: string | undefined, wanted: string | RegExp): boolean {
  return typeof wanted === 'string' ? code === wanted : wanted.test(code ?? '');
}

/** Looks until all of them hold, or for so long that what does not hold will not. */
async function allWithin(looks: (() => Promise<boolean>)[], nudge?: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  let left = looks;
  for (let round = 0; left.length > 0 && performance.now() < deadline; round++) {
    if (round % 10 === 0) await nudge?.().catch(() => {});
    // One that is stuck, or gone, answers nothing: what does not hold then is told by its test.
    const held = await Promise.all(left.map((look) => look().catch(() => false)));
    left = left.filter((_, index) => !held[index]);
    await setTimeout(100);
  }
}

/** A source's own token, which the server wants. */
export function bearer(team: Team, arena: Arena): Record<string, unknown> {
  const token = `canary-${randomBytes(12).toString('hex')}`;
  arena.server.wanted.set(team.name, `Bearer ${token}`);
  return { bearerFile: team.plant('bearer', token) };
}

interface Trouble {
  code: string;
  message: string;
  advice: string;
}

export async function troubleOf(operator: OperatorProcess, { url }: { url: string }): Promise<Trouble | undefined> {
  const { sources } = await operator.status();
  return sources.find(({ address }: { address: string }) => address === url)?.trouble;
}

/** Peak of the resident memory of a process that runs, in MiB. */
export function peakMemory({ child }: OperatorProcess): number {
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
  return Number(kibibytes) / 1024;
}

/** Asks again and again as a kubelet does: any other answer than 200, or none within its second, is a failure. */
function probe(
  operator: OperatorProcess,
  path: string,
): { end(): Promise<{ looks: number; longest: number; failures: string[] }> } {
  const failures: string[] = [];
  let [looks, longest, isOver] = [0, 0, false];
  const loop = async () => {
    while (!isOver) {
      const began = performance.now();
      const answer = await operator.get(path).catch(String);
      const took = performance.now() - began;
      looks++;
      longest = Math.max(longest, took);
      if (!answer.startsWith('200')) failures.push(answer);
      await setTimeout(50);
    }
  };
  const looped = loop();
  return {
    end: async () => {
      isOver = true;
      await looped;
      return { looks, longest, failures };
    },
  };
}

/** As the name of a secret and a folder. */
function nameFor(what: string): string {
  return what
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 50)
    .replace(/-$/, '');
}
