import * as fs from 'node:fs';
import { createServer, type Server } from 'node:net';
import { type TestContext, test } from 'node:test';
import { generateKey, type KeyPair, Sshd } from '../../servers/sshd.ts';
import { type Cut, TcpRelay } from '../../servers/tcp-relay.ts';
import type { Arena, Team } from './arena.ts';
import { type Case, endure } from './trial.ts';

/** Of the first exchange: in the banner, in the handshake, in the login, in the list of branches, in the pack. */
const STAGES = { banner: 5, handshake: 600, login: 1700, pack: 100_000 };
const PASSPHRASE = 'canary-passphrase-of-a-key';

/** A team's way to its repository: a key of its own, and a connection that can be cut. */
class Way {
  readonly #sshd: Sshd;
  readonly #team: Team;
  readonly #allowed: Set<KeyPair>;
  readonly key: KeyPair;
  readonly relay: TcpRelay;

  private constructor(sshd: Sshd, team: Team, allowed: Set<KeyPair>, key: KeyPair, relay: TcpRelay) {
    this.#sshd = sshd;
    this.#team = team;
    this.#allowed = allowed;
    this.key = key;
    this.relay = relay;
  }

  static async open(ways: Ways, team: Team, arena: Arena, passphrase: string): Promise<Way> {
    const file = arena.site.path('credentials', `${team.name}-key`);
    const key = await generateKey(file, 'ed25519', passphrase, '-a', '4');
    for (const line of fs.readFileSync(file, 'utf8').split('\n').slice(1, -2)) team.plant('line-of-key', line);
    ways.allowed.add(key);
    await ways.sshd.authorize(...ways.allowed);
    const relay = await TcpRelay.start(ways.sshd.port);
    ways.relays.add(relay);
    return new Way(ways.sshd, team, ways.allowed, key, relay);
  }

  get knownHosts(): string {
    return `${this.key.file}.known`;
  }

  async trust(change: (line: string) => string = (line) => line): Promise<void> {
    const line = (await this.#sshd.knownHosts()).replace(String(this.#sshd.port), String(this.relay.port));
    fs.writeFileSync(this.knownHosts, change(line));
  }

  async allow(isAllowed: boolean): Promise<void> {
    if (isAllowed) this.#allowed.add(this.key);
    else this.#allowed.delete(this.key);
    await this.#sshd.authorize(...this.#allowed);
  }

  url(port = this.relay.port): string {
    return `ssh://${this.#sshd.user}@127.0.0.1:${port}${this.#team.tree.directory}`;
  }
}

interface Ways {
  sshd: Sshd;
  allowed: Set<KeyPair>;
  relays: Set<TcpRelay>;
}

interface Wrong {
  code: string | RegExp;
  spoil(way: Way): void | Promise<void>;
  mend(way: Way): void | Promise<void>;
  passphrase?: string;
  timeout?: string;
}

const cut = (after: number, how: Cut['how'], code: string | RegExp): Wrong => ({
  code,
  ...(how === 'reset' || how === 'end' ? {} : { timeout: '8s' }),
  spoil: ({ relay }) => {
    relay.cut = { after, how };
  },
  mend: ({ relay }) => {
    relay.cut = undefined;
  },
});

const hosts = (code: string, change: (line: string) => string): Wrong => ({
  code,
  spoil: (way) => way.trust(change),
  mend: (way) => way.trust(),
});

const OTHER_KEY = 'AAAAC3NzaC1lZDI1NTE5AAAAIHJQ4NzH4oGZ3Pzx1oQ0mWcLqQ2cXy5gTqH1cyw3bqHk';

const WRONG: Record<string, Wrong> = {
  'a revoked key': { code: 'SSH_KEY_REFUSED', spoil: (way) => way.allow(false), mend: (way) => way.allow(true) },
  'a host whose key changed': hosts('SSH_HOST_CHANGED', (line) => line.replace(/\S+\s*$/, `${OTHER_KEY}\n`)),
  'a host that nobody knows': hosts('SSH_HOST_UNKNOWN', () => ''),
  'a key file that is gone': {
    code: 'SSH_KEY_UNREADABLE',
    spoil: ({ key }) => fs.renameSync(key.file, `${key.file}.away`),
    mend: ({ key }) => fs.renameSync(`${key.file}.away`, key.file),
  },
  'another passphrase': {
    code: 'SSH_PASSPHRASE',
    passphrase: PASSPHRASE,
    spoil: ({ key }) => fs.writeFileSync(`${key.file}.passphrase`, 'canary-of-another\n'),
    mend: ({ key }) => fs.writeFileSync(`${key.file}.passphrase`, `${PASSPHRASE}\n`),
  },
};
Object.assign(WRONG, {
  'a reset in the banner': cut(STAGES.banner, 'reset', 'SOURCE_UNREACHABLE'),
  'a reset in the login': cut(STAGES.login, 'reset', 'SOURCE_UNREACHABLE'),
  'an end in the pack': cut(STAGES.pack, 'end', /^SOURCE_(UNREACHABLE|INCOMPLETE)$/),
  'silence in the pack': cut(STAGES.pack, 'freeze', /^SOURCE_(TIMEOUT|SILENT)$/),
  'a byte now and then': cut(STAGES.handshake, { trickle: 100 }, 'SOURCE_TIMEOUT'),
});

/** The fault is told by what the team is called: it has no other way to its own. */
function caseOf(wrong: Wrong, ways: Ways): Case {
  let way: Way;
  return {
    code: wrong.code,
    git: async (team, arena) => {
      way = await Way.open(ways, team, arena, wrong.passphrase ?? '');
      await way.trust();
      const passphrase = wrong.passphrase === undefined ? {} : { sshPassphraseFile: `${way.key.file}.passphrase` };
      if (wrong.passphrase !== undefined) team.plant('passphrase', wrong.passphrase);
      if (wrong.passphrase !== undefined) fs.writeFileSync(`${way.key.file}.passphrase`, `${wrong.passphrase}\n`);
      return {
        url: way.url(),
        allowHttp: false,
        timeout: wrong.timeout ?? '60s',
        sshKeyFile: way.key.file,
        knownHostsFile: way.knownHosts,
        ...passphrase,
      };
    },
    spoil: async ({ tree }) => {
      const noise = Buffer.from(Array.from({ length: 300_000 }, () => Math.random() * 256));
      await tree.commit({ 'noise.bin': noise });
      await wrong.spoil(way);
    },
    mend: () => wrong.mend(way),
  };
}

async function openWays(t: TestContext): Promise<Ways> {
  const sshd = await Sshd.start({ config: ['MaxStartups 100'] });
  t.after(() => sshd.close());
  const relays = new Set<TcpRelay>();
  t.after(async () => {
    for (const relay of relays) await relay.close();
  });
  return { sshd, relays, allowed: new Set() };
}

test('an ssh server that refuses, is another, or breaks off: last good stays, it is named, and it heals', async (t) => {
  const ways = await openWays(t);
  const cases = Object.fromEntries(Object.entries(WRONG).map(([what, wrong]) => [what, caseOf(wrong, ways)]));
  await endure(t, { cases, when: 'a later fetch', caps: { memory: 400, disk: 60 } });
});

/** Bytes for ever, to whom comes. */
const TALKERS: Record<string, { piece: Buffer; code: RegExp }> = {
  'lines before its banner': { piece: Buffer.from('welcome\r\n'.repeat(7000)), code: /^SOURCE_/ },
  'a banner without an end': { piece: Buffer.alloc(65_536, 'x'), code: /^SOURCE_/ },
  'a web page': { piece: Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n<html>'), code: /^SOURCE_/ },
};

test('a server that is no ssh server at all, and talks for ever', async (t) => {
  const ways = await openWays(t);
  const talkers = new Set<Server>();
  t.after(() => {
    for (const talker of talkers) talker.close();
  });
  const cases = Object.entries(TALKERS).map(([what, { piece, code }]): [string, Case] => {
    let known = '';
    return [
      what,
      {
        code,
        git: async (team, arena) => {
          const way = await Way.open(ways, team, arena, '');
          await way.trust();
          const talker = createServer((socket) => {
            socket.on('error', () => undefined);
            const talk = () => {
              while (!socket.destroyed && socket.write(piece));
            };
            socket.on('drain', talk);
            talk();
          });
          talkers.add(talker);
          await new Promise<void>((resolve) => talker.listen(0, '127.0.0.1', resolve));
          const { port } = talker.address() as { port: number };
          known = way.knownHosts;
          fs.appendFileSync(known, fs.readFileSync(known, 'utf8').replace(String(way.relay.port), String(port)));
          return {
            url: way.url(port),
            allowHttp: false,
            timeout: '4s',
            sshKeyFile: way.key.file,
            knownHostsFile: known,
          };
        },
        spoil: () => {},
        mend: () => {},
      },
    ];
  });
  await endure(t, {
    cases: Object.fromEntries(cases),
    when: 'the first fetch',
    caps: { memory: 400, disk: 30 },
    isHealed: false,
  });
});
