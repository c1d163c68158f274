import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KubernetesStage } from './stage.ts';

describe('promise 1: last good stays', () => {
  test('a bad manifest changes nothing of its own and holds back no other; mended, it is taken up', async (t) => {
    const stage = await KubernetesStage.open(t);
    if (stage === undefined) return;
    const { app } = stage;
    await stage.commit(stage.files({ name: 'db', data: { a: 'good' } }));
    const operator = await stage.startAndProject();
    await stage.push(operator, {
      'db.yaml': broken(stage.manifest({ name: 'db', data: { a: 'never' } })),
      ...stage.files({ name: 'mail', data: { a: 'new' } }),
    });
    await stage.secretIs(app, 'mail', { a: 'new' });
    await stage.secretIs(app, 'db', { a: 'good' });
    const { message } = await stage.condition(app, 'db', 'Ready', { status: 'False' });
    assert.ok(message.length > 20, message);
    await stage.push(operator, stage.files({ name: 'db', data: { a: 'mended' } }));
    await stage.secretIs(app, 'db', { a: 'mended' });
    await stage.condition(app, 'db', 'Ready', { status: 'True' });
  });
});

/** One bit of a sealed value is another. */
function broken(text: string): string {
  return text.replace(/(CF\[1:[^:]+:.{20})(.)/, (_, before: string, one: string) => before + (one === 'A' ? 'B' : 'A'));
}
