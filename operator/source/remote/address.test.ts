import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CofferError } from '../../../core/errors.ts';
import { type Address, parseAddress } from './address.ts';

/** As git-clone(1), "GIT URLS", has them. */
const TAKEN: Record<string, Partial<Address>> = {
  '/srv/team': { kind: 'local', text: '/srv/team' },
  '/srv/a:b': { kind: 'local', text: '/srv/a:b' },
  'file:///srv/te%20am': { kind: 'local', text: '/srv/te am' },
  'https://example.org/team.git/': { kind: 'http', text: 'https://example.org/team.git' },
  'ssh://example.org/team.git': ssh('ssh://example.org/team.git', 'git', 'example.org', 22, '/team.git'),
  'ssh://ada@example.org:2222/te%20am': ssh('ssh://ada@example.org:2222/te%20am', 'ada', 'example.org', 2222, '/te am'),
  'ssh://example.org/~ada/team': ssh('ssh://example.org/~ada/team', 'git', 'example.org', 22, '~ada/team'),
  'ssh://[2001:db8::1]:2222/team': ssh('ssh://[2001:db8::1]:2222/team', 'git', '2001:db8::1', 2222, '/team'),
  'git@example.org:org/team.git': ssh('git@example.org:org/team.git', 'git', 'example.org', 22, 'org/team.git'),
  'example.org:/srv/team': ssh('example.org:/srv/team', 'git', 'example.org', 22, '/srv/team'),
  'ada@[2001:db8::1]:~/team': ssh('ada@[2001:db8::1]:~/team', 'ada', '2001:db8::1', 22, '~/team'),
};

function ssh(text: string, user: string, host: string, port: number, path: string): Partial<Address> {
  return { kind: 'ssh', text, ssh: { user, host, port, path } };
}

const REFUSED: Record<string, string> = {
  'http:// without allowHttp': 'http://example.org/x.git',
  'credentials in the URL': 'https://user:secret@example.org/x.git',
  'a user in the URL': 'https://secret@example.org/x.git',
  'a password for ssh': 'ssh://git:secret@example.org/x.git',
  'a password before an scp-like path': 'git:secret@example.org:x.git',
  'a query': 'https://example.org/x.git?token=secret',
  'a scheme of its own': 'ext::sh -c secret',
  'another scheme': 'ftp://example.org/secret',
  'an option as the repository': 'git@example.org:--upload-pack=secret',
  'an option as the host': 'ssh://-oProxyCommand=secret/x',
  'an option as the user': '-oProxyCommand=secret@example.org:x',
  'a line break in the path': 'ssh://example.org/x%0asecret',
  'a percent sign that encodes nothing': 'ssh://example.org/x%zzsecret',
  'no repository': 'ssh://example.org/',
  'no path': 'example.org:',
};

describe('an address', () => {
  for (const [url, expected] of Object.entries(TAKEN)) {
    test(`may be ${url}`, () => {
      assert.deepEqual(parseAddress(url, '.', false), { ...expected, path: '' });
    });
  }

  for (const [what, url] of Object.entries(REFUSED)) {
    test(`is refused with ${what}, and not repeated`, () => {
      assert.throws(
        () => parseAddress(url, '.', false),
        (error) => {
          assert.ok(error instanceof CofferError && error.code === 'SOURCE_URL_INVALID' && error.loop === 'stop');
          assert.doesNotMatch(JSON.stringify(error) + String(error), /secret/);
          return true;
        },
      );
    });
  }

  test('may have a folder, which does not leave the repository', () => {
    assert.equal(parseAddress('/srv', './clusters//a/', false).path, 'clusters/a');
    assert.throws(() => parseAddress('/srv', '../x', false), { code: 'SOURCE_PATH_INVALID' });
  });
});
