import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import type { Outstanding } from '../../core/trust/verdict.ts';
import { History, type Node } from './history.ts';
import { manifest, sealed } from './manifests.ts';

/** What a manifest says, in four aspects: two readers and two values, each of some version. */
type Model = Readonly<Record<Aspect, string>>;
const ASPECTS = ['reader r', 'reader s', 'value p', 'value q'] as const;
type Aspect = (typeof ASPECTS)[number];

/** alice may all, val values, bob nothing; `''` signs nothing. */
const WHO = ['alice', 'val', 'bob', ''] as const;
type Who = (typeof WHO)[number];

const mayChange = (who: Who, aspect: Aspect): boolean =>
  who === 'alice' || (who === 'val' && aspect.startsWith('value'));

interface Made {
  node: Node;
  model: Model;
  who: Who;
  parents: readonly Made[];
}

interface Step {
  who: Who;
  /** Which commit, of those that there are, counted from the newest. */
  parents: readonly number[];
  changes: readonly (readonly [Aspect, string])[];
}

const change = fc.tuple(fc.constantFrom(...ASPECTS), fc.constantFrom('1', '2', '3'));
const steps = (who: fc.Arbitrary<Who>, parents: fc.Arbitrary<number[]>): fc.Arbitrary<Step[]> =>
  fc.array(fc.record({ who, parents, changes: fc.array(change, { maxLength: 2 }) }), { minLength: 2, maxLength: 9 });
const anybody = fc.constantFrom(...WHO);
const aGraph = fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 3 });

let history: History;
let fork: Made;
let accepted: Made;

before(async () => {
  history = await History.create();
  const old: Model = { 'reader r': '1', 'reader s': '1', 'value p': '1', 'value q': '1' };
  fork = make('alice', [], old);
  accepted = make('alice', [fork], { ...old, 'reader r': '2', 'value p': '2' });
  await history.write();
});
after(() => history.remove());

function make(who: Who, parents: readonly Made[], model: Model): Made {
  const readers = { r: [`v${model['reader r']}`], s: [`v${model['reader s']}`] };
  const data = Object.fromEntries(
    (['p', 'q'] as const).map((entry) => {
      const version = `${entry}${model[`value ${entry}`]}`;
      return [entry, sealed(version, version)];
    }),
  );
  const nodes = parents.map(({ node }) => node);
  const node = history.commit(nodes, who === '' ? undefined : who, { 'db.yaml': manifest({ readers, data }) });
  return { node, model, who, parents };
}

function reached(from: Made): Set<Made> {
  const seen = new Set([from]);
  for (const made of seen) for (const parent of made.parents) seen.add(parent);
  return seen;
}

/** The best common ancestors of any two of them. */
function bases(parents: readonly Made[]): Made[] {
  return parents.flatMap((one, index) =>
    parents.slice(index + 1).flatMap((other) => {
      const common = [...reached(one)].filter((made) => reached(other).has(made));
      return common.filter((made) => !common.some((child) => child !== made && reached(child).has(made)));
    }),
  );
}

/** What merging gives; undefined: a conflict, or bases that disagree. */
function threeWay(parents: readonly Made[], aspect: Aspect): string | undefined {
  const [base, ...others] = new Set(bases(parents).map(({ model }) => model[aspect]));
  const changed = [...new Set(parents.map(({ model }) => model[aspect]))].filter((text) => text !== base);
  return others.length > 0 || changed.length > 1 ? undefined : (changed[0] ?? base);
}

/** As git merges where it can; else as the first parent has it. */
function merged(parents: readonly Made[]): Model {
  return Object.fromEntries(
    ASPECTS.map((aspect) => [aspect, threeWay(parents, aspect) ?? parents[0]?.model[aspect]]),
  ) as Model;
}

/** The newest commit that descends from the accepted one: all else that was made is its history or nothing. */
function grow(plan: readonly Step[]): Made {
  const all = [fork, accepted];
  for (const { who, parents, changes } of plan) {
    const chosen = [...new Set(parents.map((back) => all.at(-1 - (back % all.length)) ?? accepted))];
    all.push(make(who, chosen, { ...merged(chosen), ...Object.fromEntries(changes) } as Model));
  }
  const last = all.findLast((made) => reached(made).has(accepted));
  return last ?? accepted;
}

function refusedAspects(outstanding: readonly Outstanding[]): Set<string> {
  return new Set(
    outstanding.flatMap(({ label }) => {
      const found = /spec\.readers\[(\w)\]|spec\.data\.(\w)/.exec(label);
      return found === null ? [] : [found[1] === undefined ? `value ${found[2]}` : `reader ${found[1]}`];
    }),
  );
}

/** Many at once, as one call of git writes them all. */
async function each(plans: readonly Step[][], check: (head: Made) => Promise<void>): Promise<void> {
  const heads = plans.map(grow);
  await history.write();
  for (const [index, head] of heads.entries()) {
    try {
      await check(head);
    } catch (cause) {
      throw new Error(`${JSON.stringify(plans[index])}`, { cause });
    }
  }
}

describe('for any history', () => {
  test('what is taken was set, since the accepted commit, by somebody who may', async () => {
    await each(fc.sample(steps(anybody, aGraph), 150), async (head) => {
      const { outstanding } = await history.judge(accepted.node, head.node);
      const refused = refusedAspects(outstanding);
      const range = [...reached(head)].filter((made) => !reached(accepted).has(made));
      for (const aspect of ASPECTS) {
        const text = head.model[aspect];
        if (refused.has(aspect) || text === accepted.model[aspect]) continue;
        const isSet = range.some(
          ({ who, model, parents }) =>
            model[aspect] === text &&
            mayChange(who, aspect) &&
            parents.some((parent) => parent.model[aspect] !== text) &&
            threeWay(parents, aspect) !== text,
        );
        assert.ok(isSet, `${aspect} is ${text}, and nobody set it who may`);
      }
      const isAllSigned = range.every(({ who }) => who !== '');
      if (isAllSigned) assert.ok(outstanding.every(({ rule }) => rule !== 'signature'));
    });
  });

  test('made by people who may, everything is taken', async () => {
    await each(fc.sample(steps(fc.constant('alice'), aGraph), 60), async (head) => {
      const { refusals } = await history.judge(accepted.node, head.node);
      assert.deepEqual(
        refusals.map(({ error }) => error.message),
        [],
      );
    });
  });

  test('in a line, what is applied is what was last set by who may, however often somebody looks', async () => {
    const line = steps(anybody, fc.constant([0]));
    const looks = fc.array(fc.boolean(), { minLength: 9, maxLength: 9 });
    const plans = fc.sample(fc.tuple(line, looks), 100);
    const queue = plans.map(([, looked]) => looked);
    await each(
      plans.map(([plan]) => plan),
      async (head) => {
        const looked = queue.shift() ?? [];
        const commits = [...reached(head)].filter((made) => !reached(accepted).has(made)).reverse();
        const right = { ...accepted.model };
        const effective = { ...accepted.model };
        let [at, outstanding]: [Made, readonly Outstanding[]] = [accepted, []];
        for (const [index, made] of commits.entries()) {
          for (const aspect of ASPECTS) {
            const isChanged = made.model[aspect] !== made.parents[0]?.model[aspect];
            if (isChanged && mayChange(made.who, aspect)) right[aspect] = made.model[aspect];
          }
          if (made !== head && looked[index] !== true) continue;
          ({ outstanding } = await history.judge(at.node, made.node, { outstanding }));
          at = made;
          const refused = refusedAspects(outstanding);
          for (const aspect of ASPECTS) if (!refused.has(aspect)) effective[aspect] = made.model[aspect];
          assert.deepEqual(
            ASPECTS.filter((aspect) => refused.has(aspect)),
            ASPECTS.filter((aspect) => made.model[aspect] !== right[aspect]),
          );
          for (const aspect of ASPECTS) {
            if (!refused.has(aspect)) assert.equal(effective[aspect], right[aspect], aspect);
          }
        }
      },
    );
  });
});
