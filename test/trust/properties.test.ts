import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Outstanding } from '../../core/trust/verdict.ts';
import fc from '../support/properties.ts';
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

function grow(plan: readonly Step[]): Made[] {
  const all = [fork, accepted];
  for (const { who, parents, changes } of plan) {
    const chosen = [...new Set(parents.map((back) => all.at(-1 - (back % all.length)) ?? accepted))];
    all.push(make(who, chosen, { ...merged(chosen), ...Object.fromEntries(changes) } as Model));
  }
  return all.slice(2);
}

/** Whether a commit makes an aspect what it is, against its parents, and its signer may. */
function isSet({ who, model, parents }: Made, aspect: Aspect): boolean {
  if (!mayChange(who, aspect)) return false;
  if (parents.length === 0) return true;
  const text = model[aspect];
  return parents.some((parent) => parent.model[aspect] !== text) && threeWay(parents, aspect) !== text;
}

/** What an aspect may be: as those commits set it who might, after which nobody who might set something else. */
function right(head: Made, aspect: Aspect): Set<string> {
  const setters = [...reached(head)].filter((made) => isSet(made, aspect));
  const isLast = (made: Made) =>
    !setters.some((later) => later.model[aspect] !== made.model[aspect] && reached(later).has(made));
  return new Set(setters.filter(isLast).map(({ model }) => model[aspect]));
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
async function each<Plan>(
  plans: readonly Plan[],
  stepsOf: (plan: Plan) => readonly Step[],
  check: (commits: readonly Made[], plan: Plan) => Promise<void>,
): Promise<void> {
  const grown = plans.map((plan) => grow(stepsOf(plan)));
  await history.write();
  for (const [index, plan] of plans.entries()) {
    try {
      await check(grown[index] ?? [], plan);
    } catch (cause) {
      throw new Error(JSON.stringify(plan), { cause });
    }
  }
}

/** Looks at some commits, each of which descends from that of the last look, and takes each with what is held back. */
async function look(
  commits: readonly Made[],
  looks: readonly boolean[],
  at: (head: Made, refused: ReadonlySet<string>, outstanding: readonly Outstanding[]) => void,
): Promise<void> {
  let [last, outstanding]: [Made, readonly Outstanding[]] = [accepted, []];
  for (const [index, head] of commits.entries()) {
    if (looks[index] !== true || !reached(head).has(last)) continue;
    ({ outstanding } = await history.judge(last.node, head.node, {
      outstanding: JSON.parse(JSON.stringify(outstanding)),
    }));
    at(head, refusedAspects(outstanding), outstanding);
    last = head;
  }
}

const looks = fc.array(fc.boolean(), { minLength: 9, maxLength: 9 });

// After a change in core/trust/history/merge.ts try some thousands of others: COFFER_SEED.
describe('for any history', () => {
  test('what is taken is what was last set by somebody who may, however often somebody looks', async () => {
    await each(
      fc.sample(fc.tuple(steps(anybody, aGraph), looks), { numRuns: 150 }),
      ([plan]) => plan,
      async (commits, [, looked]) => {
        await look(commits, looked, (head, refused, outstanding) => {
          for (const aspect of ASPECTS) {
            const isRight = right(head, aspect).has(head.model[aspect]);
            assert.ok(refused.has(aspect) || isRight, `${aspect} is ${head.model[aspect]}, and nobody says so who may`);
          }
          const isAllSigned = [...reached(head)].every(({ who }) => who !== '');
          if (isAllSigned)
            assert.deepEqual(
              outstanding.filter(({ rule }) => rule === 'signature'),
              [],
            );
        });
      },
    );
  });

  test('made by people who may, everything is taken', async () => {
    await each(
      fc.sample(steps(fc.constant('alice'), aGraph), { numRuns: 60 }),
      (plan) => plan,
      async (commits) => {
        const head = commits.findLast((made) => reached(made).has(accepted)) ?? accepted;
        const { refusals } = await history.judge(accepted.node, head.node);
        assert.deepEqual(
          refusals.map(({ error }) => error.message),
          [],
        );
      },
    );
  });

  test('in a line, that and nothing else is taken', async () => {
    const line = steps(anybody, fc.constant([0]));
    await each(
      fc.sample(fc.tuple(line, looks), { numRuns: 100 }),
      ([plan]) => plan,
      async (commits, [, looked]) => {
        await look(commits, looked, (head, refused) => {
          assert.deepEqual(
            ASPECTS.filter((aspect) => refused.has(aspect)),
            ASPECTS.filter((aspect) => !right(head, aspect).has(head.model[aspect])),
          );
        });
      },
    );
  });
});
