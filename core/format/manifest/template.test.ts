import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from '../../../test/support/properties.ts';
import { parseTemplate, renderTemplate, templateEntries } from './template.ts';

const text = fc.string({ unit: 'grapheme' });
const render = (template: string, value: string) =>
  renderTemplate(parseTemplate(template), new Map([['x', Buffer.from(value)]])).toString();

describe('a template', () => {
  test('without a placeholder is itself', () => {
    fc.assert(
      fc.property(text, (template) => {
        fc.pre(!template.includes('${'));
        assert.equal(render(template, ''), template);
      }),
    );
  });

  test('inserts any text as it is, and does not scan it again', () => {
    fc.assert(
      fc.property(text, (value) => {
        assert.equal(render('<${x}>', `${value}\${x}$\${`), `<${value}\${x}$\${>`);
      }),
    );
  });

  test('each encoding is undone by its own decoder', () => {
    fc.assert(
      fc.property(text, (value) => {
        assert.equal(decodeURIComponent(render('${x:uri}', value)), value);
        assert.equal(JSON.parse(`"${render('${x:json}', value)}"`), value);
        assert.equal(Buffer.from(render('${x:base64}', value), 'base64').toString(), value);
      }),
    );
  });

  test('an encoded value cannot end what it stands in', () => {
    fc.assert(
      fc.property(text, (value) => {
        assert.match(render('${x:uri}', value), /^[-._~%A-Za-z0-9]*$/);
        assert.match(render('${x:json}', value), /^(?:[^"\\]|\\.)*$/su);
      }),
    );
  });

  test('any text can be written by escaping ${', () => {
    fc.assert(
      fc.property(text, (value) => {
        fc.pre(!value.includes('$${'));
        const template = value.replaceAll('${', () => '$${');
        assert.equal(render(template, ''), value);
      }),
    );
  });

  test('names the entries that it needs, once each', () => {
    const parts = parseTemplate('${a} ${b:uri} ${a:json} $${c} ${__proto__}');
    assert.deepEqual([...templateEntries(parts)], ['a', 'b', '__proto__']);
  });

  test('wipes what it has inserted already where a later entry is refused', (t) => {
    const { alloc } = Buffer;
    const made: Buffer[] = [];
    t.mock.method(Buffer, 'alloc', (length: number) => {
      const bytes = alloc(length);
      made.push(bytes);
      return bytes;
    });
    const values = new Map([
      ['secret', Buffer.from('hunter2')],
      ['binary', Buffer.from([0xff])],
    ]);
    const refused = { code: 'TEMPLATE_ENTRY_NOT_UTF8' };
    assert.throws(() => renderTemplate(parseTemplate('${secret}${binary}'), values), refused);
    assert.equal(made.length, 1);
    assert.ok(made.every((bytes) => bytes.every((byte) => byte === 0)));
  });

  test('an error says where the placeholder begins', () => {
    assert.throws(() => parseTemplate('ab ${c'), { code: 'TEMPLATE_MALFORMED', message: /character 4/ });
  });
});
