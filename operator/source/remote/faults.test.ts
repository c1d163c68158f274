import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../../test/support/properties.ts';
import { remark } from './faults.ts';

test('what a server says is one short line that no terminal or log takes for more', () => {
  assert.equal(remark('ERROR: Repository\tnot\r\nfound.\n'), 'the server says: ERROR: Repository not found.');
  assert.equal(remark('\u001b[2Jgone\u202eevil\u0000'), 'the server says: [2Jgone evil');
  assert.equal(remark(' \n'), undefined);
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
      const said = remark(text) ?? '';
      assert.ok(said.length < 250);
      assert.doesNotMatch(said, /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
    }),
  );
});
