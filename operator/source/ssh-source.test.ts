import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, readFile, rename, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import ssh2, { type ServerChannel } from 'ssh2';
import { code, commitOf, never, Watching } from '../../test/operator/watching.ts';
import { HttpProxy, type HttpProxyOptions } from '../../test/servers/http-proxy.ts';
import { generateKey, type KeyPair, Sshd } from '../../test/servers/sshd.ts';
import { parseAddress } from './remote/address.ts';
import { openRemote, type RemoteConfig } from './remote/open-remote.ts';

const { Server } = ssh2;
const run = promisify(execFile);

let sshd: Sshd;
let keys: Record<'ed25519' | 'ecdsa' | 'rsa' | 'encrypted' | 'pem' | 'stranger', KeyPair>;

before(async () => {
  sshd = await Sshd.start({ hostKeys: ['ed25519', 'ecdsa', 'rsa'] });
  const made = (name: string) => join(sshd.folder, `client_${name}`);
  keys = {
    ed25519: await generateKey(made('ed25519'), 'ed25519'),
    ecdsa: await generateKey(made('ecdsa'), 'ecdsa', '', '-b', '384'),
    rsa: await generateKey(made('rsa'), 'rsa', '', '-b', '2048'),
    encrypted: await generateKey(made('encrypted'), 'ed25519', 'correct horse'),
    pem: await generateKey(made('pem'), 'ecdsa', 'correct horse', '-m', 'PKCS8'),
    stranger: await generateKey(made('stranger'), 'ed25519'),
  };
  const { stranger: _, ...known } = keys;
  await sshd.authorize(...Object.values(known));
});
after(() => sshd.close());

interface Bench {
  bench: Watching;
  config: RemoteConfig;
  commit: string;
}

/** A repository with a commit, and what reaches it. */
async function team(t: TestContext, over: Partial<RemoteConfig> = {}): Promise<Bench> {
  const bench = await Watching.open(t);
  const commit = await bench.tree.commit({ a: '1' });
  const knownHostsFile = await bench.file('known_hosts', await sshd.knownHosts());
  const sshKeyFile = keys.ed25519.file;
  return { bench, commit, config: { url: sshd.url(bench.tree.directory), sshKeyFile, knownHostsFile, ...over } };
}

describe('a repository over ssh', () => {
  const PASSPHRASE = 'correct horse';
  for (const name of ['ed25519', 'ecdsa', 'rsa', 'encrypted', 'pem'] as const) {
    test(`is taken in commit by commit, by a key: ${name}`, async (t) => {
      const { bench, config, commit } = await team(t);
      const sshPassphraseFile = await bench.file('passphrase', `${PASSPHRASE}\n`);
      const isEncrypted = name === 'encrypted' || name === 'pem';
      const source = await bench.source({
        ...config,
        sshKeyFile: keys[name].file,
        ...(isEncrypted ? { sshPassphraseFile } : {}),
      });
      assert.equal(await commitOf(source), commit);
      assert.equal(await commitOf(source), 'unchanged');
      await bench.tree.commit({ b: 'in between' });
      const third = await bench.tree.commit({ a: '2' });
      assert.equal(await commitOf(source), third);
      await bench.gitInClone(source, 'fsck', '--strict', 'refs/coffer/accepted');
    });
  }

  test('may have any path: the shell there expands nothing of it', async (t) => {
    const { bench, config, commit } = await team(t);
    const odd = join(bench.root, 'it\'s $(touch x) `touch x` !new; "é"');
    await rename(bench.tree.directory, odd);
    const url = sshd.url(odd.split('/').map(encodeURIComponent).join('/'));
    assert.equal(await commitOf(await bench.source({ ...config, url })), commit);
  });

  test('that is not there, or has no such branch, is told in the words of the server', async (t) => {
    const { bench, config, commit } = await team(t);
    const gone = await bench.source({ ...config, url: sshd.url('/nowhere') });
    await assert.rejects(gone.poll(never), (error) => {
      assert.ok(code('SOURCE_MISSING')(error));
      assert.match(String(error), /the server says: fatal: '\/nowhere' does not appear to be a git repository/);
      return true;
    });
    const source = await bench.source({ ...config, branch: 'other' });
    await assert.rejects(source.poll(never), code('SOURCE_BRANCH_MISSING'));
    await bench.tree.git('branch', 'other');
    assert.equal(await commitOf(source), commit);
  });
});

describe('the host’s key', () => {
  const line = (text: string, type: string): string => text.split('\n').find((each) => each.includes(type)) ?? '';
  const GOOD: Record<string, (all: string, file: string) => Promise<string>> = {
    'of only one of the types that the host has': async (all) => line(all, 'ssh-rsa'),
    'hashed by ssh-keygen': async (all, file) => {
      await writeFile(file, all);
      await run('ssh-keygen', ['-q', '-H', '-f', file]);
      const hashed = await readFile(file, 'utf8');
      assert.doesNotMatch(hashed, /127\.0\.0\.1/);
      return hashed;
    },
    'under a pattern, beside other hosts and comments': async (all) =>
      `# ours\n\ngithub.com ${line(all, 'ed25519').split(' ').slice(1).join(' ')}\n${line(all, 'ecdsa').replace(/^\S+/, '!other,[127.0.0.?]:*')} who\r\n`,
  };
  for (const [what, known] of Object.entries(GOOD)) {
    test(`is trusted ${what}`, async (t) => {
      const { bench, config, commit } = await team(t);
      await bench.file('known_hosts', await known(await sshd.knownHosts(), join(bench.root, 'hashing')));
      assert.equal(await commitOf(await bench.source(config)), commit);
    });
  }

  const BAD: Record<string, { known: (all: string) => string; expected: string }> = {
    'the file has no line of it': { known: () => '', expected: 'SSH_HOST_UNKNOWN' },
    'another port of the host is known': {
      known: (all) => all.replace(/\[127\.0\.0\.1\]:\d+/g, '127.0.0.1'),
      expected: 'SSH_HOST_UNKNOWN',
    },
    'a pattern excludes it': {
      known: (all) => all.replace(/(\[127\S+)/g, '*,!$1'),
      expected: 'SSH_HOST_UNKNOWN',
    },
    'it is another than the known one': {
      known: (all) => line(all, 'ed25519').replace(/\S+$/, keys.ed25519.publicLine.split(' ')[1] ?? ''),
      expected: 'SSH_HOST_CHANGED',
    },
    'only keys of types that it has not are known': {
      known: (all) => line(all, 'ecdsa').replace(/ .*/, ` ${keys.ecdsa.publicLine}`),
      expected: 'SSH_ALGORITHMS',
    },
    'it is revoked, although another line trusts it': {
      known: (all) => `${line(all, 'ed25519')}\n@revoked * ${line(all, 'ed25519').split(' ').slice(1).join(' ')}\n`,
      expected: 'SSH_HOST_REVOKED',
    },
    'only an authority speaks for it': {
      known: (all) => `@cert-authority ${line(all, 'ed25519')}`,
      expected: 'SSH_HOST_CERTIFICATE',
    },
    'a line is no line': { known: (all) => `${all}not a line`, expected: 'SSH_KNOWN_HOSTS_INVALID' },
    'a key says it is of another type': {
      known: (all) => line(all, 'ed25519').replace('ssh-ed25519', 'ssh-rsa'),
      expected: 'SSH_KNOWN_HOSTS_INVALID',
    },
  };
  for (const [what, { known, expected }] of Object.entries(BAD)) {
    test(`is refused where ${what}; the next poll reads the file again`, async (t) => {
      const { bench, config, commit } = await team(t);
      const all = await sshd.knownHosts();
      await bench.file('known_hosts', known(all));
      const source = await bench.source(config);
      await assert.rejects(source.poll(never), code(expected));
      await bench.file('known_hosts', all);
      assert.equal(await commitOf(source), commit);
    });
  }

  test('is told by its fingerprint when it changed, and is no reason to lose what was accepted', async (t) => {
    const { bench, config, commit } = await team(t);
    const source = await bench.source(config);
    assert.equal(await commitOf(source), commit);
    await sshd.renewHostKeys();
    await sshd.restart();
    await bench.tree.commit({ a: '2' });
    const fresh = await bench.file('fresh', await sshd.knownHosts('ed25519'));
    const { stdout } = await run('ssh-keygen', ['-l', '-f', fresh]);
    const [, fingerprint = ''] = stdout.split(' ');
    await assert.rejects(source.poll(never), (error) => {
      assert.ok(code('SSH_HOST_CHANGED')(error));
      assert.ok(String(error).includes(fingerprint), `${error} without ${fingerprint}`);
      return true;
    });
    assert.equal((await source.accepted())?.commit, commit);
    await bench.file('known_hosts', await sshd.knownHosts());
    assert.notEqual(await commitOf(source), commit);
  });
});

describe('the operator’s key', () => {
  test('that is not authorized, or not any more, is refused; once it is, it is taken', async (t) => {
    const { bench, config, commit } = await team(t);
    const source = await bench.source({ ...config, sshKeyFile: keys.stranger.file });
    await assert.rejects(source.poll(never), code('SSH_KEY_REFUSED'));
    const { stranger, ...known } = keys;
    await sshd.authorize(stranger, ...Object.values(known));
    t.after(() => sshd.authorize(...Object.values(known)));
    assert.equal(await commitOf(source), commit);
    await sshd.authorize(...Object.values(known));
    await sshd.restart();
    await assert.rejects(source.poll(never), code('SSH_KEY_REFUSED'));
  });

  test('is read again at every fetch: unreadable, encrypted and wrong ones are told apart', async (t) => {
    const { bench, config, commit } = await team(t);
    const sshKeyFile = join(bench.root, 'id');
    const sshPassphraseFile = join(bench.root, 'passphrase');
    const source = await bench.source({ ...config, sshKeyFile });
    await assert.rejects(source.poll(never), code('SSH_KEY_UNREADABLE'));
    for (const nonsense of ['', 'ssh-ed25519 AAAA', keys.ed25519.publicLine, '-----BEGIN PRIVATE KEY-----\nAA\n']) {
      await writeFile(sshKeyFile, nonsense);
      await assert.rejects(source.poll(never), code('SSH_KEY_UNREADABLE'), nonsense);
    }
    for (const name of ['encrypted', 'pem'] as const) {
      await cp(keys[name].file, sshKeyFile);
      await assert.rejects(source.poll(never), code('SSH_PASSPHRASE'));
      const opened = await bench.source({ ...config, sshKeyFile, sshPassphraseFile });
      await bench.file('passphrase', 'wrong\n');
      await assert.rejects(opened.poll(never), code('SSH_PASSPHRASE'));
      await bench.file('passphrase', 'correct horse\n');
      await commitOf(opened);
      assert.equal((await opened.accepted())?.commit, commit);
    }
    await cp(keys.rsa.file, sshKeyFile);
    await commitOf(source);
  });
});

describe('what is no ssh server', () => {
  const SERVERS: Record<string, { answer: (socket: Socket) => void; expected: string }> = {
    'sends garbage behind its greeting': {
      answer: (socket) => socket.write(`SSH-2.0-x\r\n${'\u0000'.repeat(100)}`),
      expected: 'SOURCE_PROTOCOL',
    },
    'never ends its greeting': {
      answer: (socket) => socket.write('a'.repeat(1 << 20), () => socket.end()),
      expected: 'SOURCE_PROTOCOL',
    },
    'hangs up': { answer: (socket) => socket.destroy(), expected: 'SOURCE_UNREACHABLE' },
  };
  for (const [what, { answer, expected }] of Object.entries(SERVERS)) {
    test(`is told apart: one that ${what}`, async (t) => {
      const server = createServer((socket) => answer(socket.on('error', () => undefined)));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      t.after(() => server.close());
      const { port } = server.address() as AddressInfo;
      const { bench, config } = await team(t);
      const source = await bench.source({ ...config, url: `ssh://127.0.0.1:${port}/x` });
      await assert.rejects(source.poll(never), code(expected));
    });
  }
});

/** Remotes, each with its patience in milliseconds, of a server that takes the key and answers to the program that is asked for. */
async function remotesOf(t: TestContext, answer: (run: () => ServerChannel) => void) {
  const { config } = await team(t);
  const hostKey = await readFile(keys.ed25519.file);
  const server = new Server({ hostKeys: [hostKey] }, (client) => {
    client.on('error', () => undefined);
    client.on('authentication', (context) => context.accept());
    client.on('session', (accept) => accept().on('exec', (run) => answer(run)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  await writeFile(config.knownHostsFile ?? '', `[127.0.0.1]:${port} ${keys.ed25519.publicLine}\n`);
  const url = `ssh://127.0.0.1:${port}/x`;
  return (idle: number) => {
    const remote = openRemote({ ...config, url }, parseAddress(url, '.', false), [''], idle);
    t.after(() => remote.close());
    return remote;
  };
}

test('a program that ends as soon as it began is heard: its words and its end may come with the word that it runs', async (t) => {
  const open = await remotesOf(t, (run) => {
    const channel = run();
    channel.stderr.write('no such repository');
    channel.exit(1);
    channel.close();
  });
  const missing = { code: 'SOURCE_MISSING', message: /no such repository/ };
  await assert.rejects(open(60_000).head(never), missing);
});

test('a server that takes the key and never runs the program is given up, by time and by signal', async (t) => {
  const open = await remotesOf(t, () => undefined);
  await assert.rejects(open(300).head(never), code('SOURCE_SILENT'));
  await assert.rejects(open(60_000).head(AbortSignal.timeout(300)), { name: 'TimeoutError' });
});

describe('a proxy that a source over ssh names', () => {
  async function through(t: TestContext, options: HttpProxyOptions = {}, over: Partial<RemoteConfig> = {}) {
    const proxy = await HttpProxy.start(options);
    t.after(() => proxy.close());
    const { bench, commit, config } = await team(t);
    return { proxy, commit, bench, source: await bench.source({ ...config, proxy: proxy.url, ...over }) };
  }

  test('is asked for the host, and for nothing else; the keys of the host are checked as without it', async (t) => {
    const { proxy, bench, commit, source } = await through(t);
    assert.equal(await commitOf(source), commit);
    const next = await bench.tree.commit({ a: '2' });
    assert.equal(await commitOf(source), next);
    const { hostname, port } = new URL(sshd.url('/'));
    assert.deepEqual([...new Set(proxy.seen)], [`CONNECT ${hostname}:${port}`]);
    await bench.file('known_hosts', '');
    await assert.rejects(source.poll(never), code('SSH_HOST_UNKNOWN'));
  });

  test('is named where it refuses, is not there, or is not who it should be', async (t) => {
    const refusing = await through(t, { auth: { username: 'ada', password: 'secret' } });
    await assert.rejects(refusing.source.poll(never), code('SOURCE_PROXY'));
    await refusing.proxy.close();
    await assert.rejects(refusing.source.poll(never), code('SOURCE_PROXY'));
    const plain = await HttpProxy.start();
    t.after(() => plain.close());
    const untrusted = await through(t, {}, { proxy: plain.url.replace('http:', 'https:') });
    await assert.rejects(untrusted.source.poll(never), code('SOURCE_PROXY'));
  });

  test('that says nothing is not waited for', async (t) => {
    const { config } = await team(t);
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const sockets = new Set<Socket>();
    silent.on('connection', (socket) => sockets.add(socket.on('error', () => {})));
    t.after(() => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });
    const proxy = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const remote = openRemote({ ...config, proxy }, parseAddress(config.url, '.', false), [''], 300);
    t.after(() => remote.close());
    await assert.rejects(remote.head(never), code('SOURCE_SILENT'));
  });

  test('is none of the environment, which is of http', async (t) => {
    const before = process.env.HTTPS_PROXY;
    process.env.HTTPS_PROXY = 'http://127.0.0.1:1';
    t.after(() => {
      if (before === undefined) delete process.env.HTTPS_PROXY;
      else process.env.HTTPS_PROXY = before;
    });
    const { bench, commit, config } = await team(t);
    assert.equal(await commitOf(await bench.source(config)), commit);
    assert.equal(await commitOf(await bench.source({ ...config, proxy: 'none' })), 'unchanged');
  });
});

describe('settings', () => {
  const WRONG: Record<string, Partial<RemoteConfig>> = {
    'no known hosts': { knownHostsFile: undefined as never },
    'no key': { sshKeyFile: undefined as never },
    'a token': { bearerFile: '/token' },
    'a certificate authority, which ssh does not use': { caFile: '/ca.pem' },
    'a branch and a tag': { branch: 'main', tag: 'v*' },
  };
  for (const [what, over] of Object.entries(WRONG)) {
    test(`are refused with ${what}`, async (t) => {
      const { bench, config } = await team(t, over);
      await assert.rejects(bench.source(config), code('SOURCE_SETTINGS'));
    });
  }
});
