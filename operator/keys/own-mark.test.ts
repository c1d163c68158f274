import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CofferError } from '../../core/errors.ts';
import { OwnMark } from './own-mark.ts';

function markBy(seed: number | undefined): { mark: OwnMark; told: CofferError[]; reads: () => number } {
  const told: CofferError[] = [];
  let reads = 0;
  const store = {
    readIdentity: async () => {
      reads += 1;
      return seed === undefined ? undefined : Buffer.alloc(32, seed);
    },
  };
  return { mark: new OwnMark({ store, told: (error) => told.push(error) }), told, reads: () => reads };
}

describe('what is remembered outside of the process', () => {
  const text = '{"step":"made"}\n';

  test('is read by whoever has the identity, in another process too, and the identity is read once', async () => {
    const { mark, told, reads } = markBy(1);
    const marked = (await mark.mark('rotation a', text)) ?? '';
    assert.equal(await markBy(1).mark.textOf('rotation a', marked, 'there'), text);
    assert.equal(await mark.textOf('rotation a', marked, 'there'), text);
    assert.deepEqual(JSON.parse(marked)[1], JSON.parse(text));
    assert.deepEqual([told, reads()], [[], 1]);
  });

  test('counts as nothing where somebody else wrote or changed it, moved it or knows no identity, and that is said once', async () => {
    const marked = (await markBy(1).mark.mark('rotation a', text)) ?? '';
    const others = (await markBy(2).mark.mark('rotation a', text)) ?? '';
    for (const [what, seed, name, found] of [
      ['another name', 1, 'rotation b', marked],
      ['another identity', 1, 'rotation a', others],
      ['no identity', undefined, 'rotation a', marked],
      ['another text', 1, 'rotation a', marked.replace('made', 'gone')],
      ['something before', 1, 'rotation a', `{}\n${marked}`],
      ['something after', 1, 'rotation a', `${marked}x`],
      ['no mark', 1, 'rotation a', text],
      ['half of it', 1, 'rotation a', marked.slice(0, -10)],
      ['nothing', 1, 'rotation a', ''],
    ] as const) {
      const { mark, told } = markBy(seed);
      assert.equal(await mark.textOf(name, found, 'there'), undefined, what);
      assert.equal(await mark.textOf(name, found, 'there'), undefined, what);
      assert.deepEqual(
        told.map(({ code, data }) => [code, data.path]),
        [['ROTATE_MEMORY_FOREIGN', 'there']],
        what,
      );
    }
  });

  test('is not written where there is no identity', async () => {
    assert.equal(await markBy(undefined).mark.mark('rotation a', text), undefined);
  });
});
