import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { readSigned } from '../../core/git/commits/signed-object.ts';
import { SigningTree, sshFiles, withSignature } from './signing-tree.ts';

/**
 * What can be put around a signature. Git leaves some of it out of what it verifies, or verifies what other programs read
 * differently; we take one form only. `git`: what git 2.39 says of the same object.
 */

let signing: SigningTree;
let allowed: string;
/** A commit with one parent, and the pieces of it. */
let commit: { head: string; signature: string; body: string };
let tag: string;
let parent: string;

before(async () => {
  signing = await SigningTree.create();
  allowed = `ada@example.org ${await signing.sshKey('ada')}\n`;
  parent = await signing.commit('ada');
  const oid = await signing.commit('ada');
  const [, head = '', signature = '', body = ''] =
    /^(tree [\s\S]*?\n)(gpgsig [\s\S]*?-----END SSH SIGNATURE-----\n)(\n[\s\S]*)$/.exec(text(oid)) ?? [];
  commit = { head, signature, body };
  await signing.tree.git('-c', `user.signingKey=${signing.file('ada')}`, 'tag', '-s', '-m', 'One\n\nTwo', 'v1');
  tag = text('v1', 'tag');
});
after(() => signing.remove());

const text = (oid: string, type = 'commit') => signing.raw(oid, type).toString('latin1');
const latin1 = (object: string) => Buffer.from(object, 'latin1');

/** Signs a commit with these headers for real. */
async function signed(head: string, body = '\nBody\n'): Promise<string> {
  const payload = head + body;
  return withSignature(payload, await signing.sshSign('ada', latin1(payload))).toString('latin1');
}

const OTHER = '1'.repeat(40);
const ARMORED = '-----BEGIN SSH SIGNATURE-----\n AAAA\n -----END SSH SIGNATURE-----';

/** Name, the object, whether git takes it, what we say. */
type Row = [string, () => string | Promise<string>, boolean, string];

const ofCommits: Row[] = [
  ['as git wrote it', () => commit.head + commit.signature + commit.body, true, 'good'],
  ['no signature', () => commit.head + commit.body, false, 'unsigned'],
  [
    'an empty line behind the signature, as GitHub writes',
    () => `${commit.head}${commit.signature} \n${commit.body}`,
    true,
    'good',
  ],
  [
    'another tree',
    () => (commit.head + commit.signature + commit.body).replace(/[0-9a-f]{40}/, OTHER),
    false,
    'SIGNATURE_BAD',
  ],
  ['a longer message', () => `${commit.head + commit.signature + commit.body}x`, false, 'SIGNATURE_BAD'],
  [
    'a NUL and more behind the message',
    () => `${commit.head + commit.signature + commit.body}\0x`,
    false,
    'SIGNATURE_BAD',
  ],
  ['a header in front', () => `${commit.head}x y\n${commit.signature}${commit.body}`, false, 'SIGNATURE_BAD'],
  ['a signed header that git does not know', () => signed(`${commit.head}change-id kxyz\n`), true, 'good'],
  ['a header behind', () => `${commit.head + commit.signature}x y\n${commit.body}`, false, 'SIGNATURE_HEADER'],
  [
    'a signed header behind',
    async () => behind(await signed(`${commit.head}x y\n`), 'x y\n'),
    true,
    'SIGNATURE_HEADER',
  ],
  [
    'a signed encoding behind, as JGit writes',
    async () => behind(await signed(`${commit.head}encoding latin1\n`), 'encoding latin1\n'),
    true,
    'good',
  ],
  [
    'a signed encoding in front',
    () => signed(`${commit.head}encoding ISO-8859-1\n`, '\nGr\u00fc\u00dfe\n'),
    true,
    'good',
  ],
  ['two encodings', () => signed(`${commit.head}encoding a\nencoding b\n`), true, 'GIT_OBJECT_MALFORMED'],
  [
    'a parent behind',
    () => `${commit.head + commit.signature}parent ${OTHER}\n${commit.body}`,
    false,
    'GIT_OBJECT_MALFORMED',
  ],
  [
    'a parent within the signature',
    () => commit.head + commit.signature.replace('\n ', `\nparent ${OTHER}\n `) + commit.body,
    false,
    'GIT_OBJECT_MALFORMED',
  ],
  [
    'another header within the signature',
    () => commit.head + commit.signature.replace('\n ', '\nx y\n ') + commit.body,
    false,
    'SIGNATURE_HEADER',
  ],
  ['a signed parent behind committer', () => signed(`${commit.head}parent ${OTHER}\n`), true, 'GIT_OBJECT_MALFORMED'],
  ['a signed second tree', () => signed(`${commit.head}tree ${OTHER}\n`), true, 'GIT_OBJECT_MALFORMED'],
  [
    'a signed second author',
    () => signed(commit.head.replace(/author (.*\n)/, 'author $1author $1')),
    true,
    'GIT_OBJECT_MALFORMED',
  ],
  ['no author', () => signed(commit.head.replace(/author .*\n/, '')), true, 'GIT_OBJECT_MALFORMED'],
  [
    'a signed author of two lines',
    () => signed(commit.head.replace(/(author .*\n)/, '$1 more\n')),
    true,
    'GIT_OBJECT_MALFORMED',
  ],
  [
    'a signed oid in capitals',
    () => signed(commit.head.replace(/tree .*/, (tree) => tree.toUpperCase().replace('TREE', 'tree'))),
    true,
    'GIT_OBJECT_MALFORMED',
  ],
  [
    'a second signature behind',
    () => `${commit.head + commit.signature}gpgsig ${ARMORED}\n${commit.body}`,
    true,
    'GIT_OBJECT_MALFORMED',
  ],
  [
    'a second signature in front',
    () => `${commit.head}gpgsig ${ARMORED}\n${commit.signature}${commit.body}`,
    false,
    'GIT_OBJECT_MALFORMED',
  ],
  [
    'two signatures in one header',
    () => `${commit.head + commit.signature} ${ARMORED}\n${commit.body}`,
    true,
    'SIGNATURE_HEADER',
  ],
  [
    'text behind the end of the signature',
    () => `${commit.head + commit.signature} more\n${commit.body}`,
    true,
    'SIGNATURE_HEADER',
  ],
  [
    'text in front of the signature',
    () => `${commit.head}${commit.signature.replace('gpgsig ', 'gpgsig more\n ')}${commit.body}`,
    false,
    'SIGNATURE_HEADER',
  ],
  [
    'a signature without end',
    () => `${commit.head}${commit.signature.replace(' -----END SSH SIGNATURE-----\n', '')}${commit.body}`,
    false,
    'SIGNATURE_HEADER',
  ],
  ['an empty signature', () => `${commit.head}gpgsig \n${commit.body}`, false, 'SIGNATURE_HEADER'],
  [
    'an empty line in the signature',
    () => commit.head + commit.signature.replace('\n ', '\n \n ') + commit.body,
    true,
    'SIGNATURE_MALFORMED',
  ],
  [
    'a signature with carriage returns',
    () => `${commit.head}${commit.signature.replaceAll('\n', '\r\n')}${commit.body}`,
    false,
    'SIGNATURE_HEADER',
  ],
  [
    'a signature for SHA-256',
    () => `${commit.head + commit.signature}gpgsig-sha256 ${ARMORED}\n${commit.body}`,
    true,
    'good',
  ],
  [
    'something else as that',
    () => `${commit.head + commit.signature}gpgsig-sha256 x\n${commit.body}`,
    true,
    'SIGNATURE_HEADER',
  ],
  ['only a signature for SHA-256', () => `${commit.head}gpgsig-sha256 ${ARMORED}\n${commit.body}`, false, 'unsigned'],
  [
    'a header that begins like it',
    () => `${commit.head}gpgsigned-by bob\n${commit.signature}${commit.body}`,
    true,
    'SIGNATURE_HEADER',
  ],
  [
    'a signature in the lines of another header',
    () => `${commit.head}x y\n ${commit.signature.replaceAll('\n', '\n ').trimEnd()}\n${commit.body}`,
    false,
    'unsigned',
  ],
  ['a NUL among the headers', () => signed(commit.head.replace('author ', 'author \0')), false, 'GIT_OBJECT_MALFORMED'],
  [
    'a carriage return in a header',
    () => signed(commit.head.replace(/(committer .*)\n/, '$1\r\n')),
    true,
    'GIT_OBJECT_MALFORMED',
  ],
  ['a header without a value', () => signed(`${commit.head}note\n`), true, 'GIT_OBJECT_MALFORMED'],
  ['no end of the headers', () => commit.head + commit.signature.trimEnd(), false, 'GIT_OBJECT_MALFORMED'],
  [
    '10,001 headers',
    () => `${commit.head}${'mergetag x\n'.repeat(10_001)}${commit.signature}${commit.body}`,
    false,
    'GIT_OBJECT_MALFORMED',
  ],
  [
    'a signature of gpgsm',
    () => `${commit.head}gpgsig ${ARMORED.replaceAll('SSH SIGNATURE', 'SIGNED MESSAGE')}\n${commit.body}`,
    false,
    'SIGNATURE_UNSUPPORTED',
  ],
  [
    'a message as signature',
    () => `${commit.head}gpgsig ${ARMORED.replaceAll('SSH SIGNATURE', 'PGP MESSAGE')}\n${commit.body}`,
    false,
    'SIGNATURE_HEADER',
  ],
  [
    'an OpenPGP signature where only SSH keys are trusted',
    () => `${commit.head}gpgsig ${ARMORED.replaceAll('SSH', 'PGP')}\n${commit.body}`,
    false,
    'SIGNATURE_SIGNER_UNKNOWN',
  ],
];

/** A header of a signed commit, moved behind its signature. */
function behind(object: string, header: string): string {
  const end = object.indexOf('\n\n') + 1;
  return object.slice(0, end).replace(header, '') + header + object.slice(end);
}

const PGP_ARMORED = ARMORED.replaceAll('SSH', 'PGP').replaceAll('\n ', '\n');
const tagBody = () => tag.slice(0, tag.indexOf('-----BEGIN'));
const signedTag = async (body: string) => body + (await signing.sshSign('ada', latin1(body)));

const ofTags: Row[] = [
  ['as git wrote it', () => tag, true, 'good'],
  ['no signature', () => tagBody(), false, 'unsigned'],
  ['another message', () => tag.replace('Two', 'Six'), false, 'SIGNATURE_BAD'],
  ['another name', () => tag.replace('tag v1', 'tag v9'), false, 'SIGNATURE_BAD'],
  ['text behind the signature', () => `${tag}more\n`, true, 'SIGNATURE_HEADER'],
  ['empty lines behind it', () => `${tag}\n\n`, true, 'good'],
  ['the signature in the middle', () => tag.replace('Two\n', '').replace(/$/, 'Two\n'), false, 'SIGNATURE_HEADER'],
  ['two signatures', () => tag + tag.slice(tag.indexOf('-----BEGIN')), false, 'SIGNATURE_HEADER'],
  [
    'another signature in front',
    () => tag.replace('Two\n', `${ARMORED.replaceAll('\n ', '\n')}\n`),
    false,
    'SIGNATURE_HEADER',
  ],
  [
    'a signed signature of another kind in front',
    () => signedTag(`${tagBody()}${PGP_ARMORED}\n`),
    true,
    'SIGNATURE_HEADER',
  ],
  ['a signature that begins within a line', () => tag.replace('-----BEGIN', 'x-----BEGIN'), false, 'unsigned'],
  ['a header behind', () => tag.replace(/(tagger .*\n)/, '$1x y\n'), false, 'GIT_OBJECT_MALFORMED'],
  [
    'a signature among the headers',
    () => tag.replace(/(tagger .*\n)/, `$1gpgsig ${ARMORED}\n`),
    true,
    'SIGNATURE_HEADER',
  ],
  [
    'carriage returns in the signature',
    () => tag.replace(/-----BEGIN[\s\S]*/, (all) => all.replaceAll('\n', '\r\n')),
    false,
    'SIGNATURE_HEADER',
  ],
];

describe('a commit counts only in the form in which git writes it', () => {
  for (const [name, make, git, we] of ofCommits) test(name, () => judged('commit', make, git, we));
});

describe('a tag counts only in the form in which git writes it', () => {
  for (const [name, make, git, we] of ofTags) test(name, () => judged('tag', make, git, we));
});

async function judged(type: 'commit' | 'tag', make: Row[1], git: boolean, we: string): Promise<void> {
  const oid = await signing.write(type, latin1(await make()));
  const ours = await signing.weSay(oid, sshFiles(allowed), type);
  assert.deepEqual({ git: await signing.gitSays(oid, { allowed }, type), we: ours }, { git, we });
  // The other way round would be a commit that we take and git does not.
  if (ours === 'good') assert.equal(git, true);
}

test('a merge of a signed tag, which brings the tag with its signature along, is read as git reads it', async () => {
  const { tree } = signing;
  await tree.git('checkout', '-q', '-b', 'side', parent);
  await signing.commit('ada', { args: ['--allow-empty'] });
  await tree.git('-c', `user.signingKey=${signing.file('ada')}`, 'tag', '-s', '-m', 'Side\r\n', 'side-1');
  await tree.git('checkout', '-q', 'main');
  await tree.git(
    '-c',
    `user.signingKey=${signing.file('ada')}`,
    'merge',
    '-q',
    '--no-ff',
    '-S',
    '-m',
    'Merge',
    'side-1',
  );
  const oid = await tree.git('rev-parse', 'HEAD');
  assert.match(text(oid), /\nmergetag object [\s\S]*\n -----BEGIN SSH SIGNATURE-----\n[\s\S]*\ngpgsig /);
  assert.equal(await signing.weSay(oid, sshFiles(allowed)), 'good');
  assert.equal(await signing.gitSays(oid, { allowed }), true);
});

test('a tag says what it is called and which commit it names', () => {
  const { tag: said } = readSigned('tag', OTHER, latin1(tag));
  assert.equal(said?.name, 'v1');
  assert.equal(said?.targetType, 'commit');
  assert.match(said?.target ?? '', /^[0-9a-f]{40}$/);
});

test('every byte of a commit is signed, or the signature', () => {
  const { payload, signature } = readSigned('commit', OTHER, latin1(commit.head + commit.signature + commit.body));
  assert.equal(payload.toString('latin1'), commit.head + commit.body);
  assert.equal(`gpgsig ${signature?.text.toString('latin1').trimEnd().replaceAll('\n', '\n ')}\n`, commit.signature);
});
