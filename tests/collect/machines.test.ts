/** The state machines: every state, event and actor has an answer, and the answers are the ones that were designed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CAMPAIGN, CAMPAIGN_STATES, DEEDS, forbids, stillOpen } from '../../src/collect/rules/campaign.ts';
import { offered, step, type Actor, type Machine } from '../../src/collect/rules/machine.ts';
import { mayAppeal, PENDING, SUBMISSION } from '../../src/collect/rules/submission.ts';
import { AWARD, LEASE, LEASE_TIMES, leaseEnd, PASSAGE, REVIEW } from '../../src/collect/rules/work.ts';

const ACTORS: readonly Actor[] = ['system', 'author', 'reviewer', 'moderator', 'admin', 'owner'];
const MACHINES = [CAMPAIGN, SUBMISSION, LEASE, REVIEW, PASSAGE, AWARD] as unknown as readonly Machine<string, string>[];

for (const machine of MACHINES) {
  test(`${machine.name}: every state, event and actor has an answer`, () => {
    const events = [...new Set(machine.moves.map(({ event }) => event))];
    for (const state of machine.states) {
      for (const event of events) {
        for (const actor of ACTORS) {
          const answer = step(machine, state, event, actor);
          if (answer.ok) assert.ok(machine.states.includes(answer.to));
          else assert.ok(answer.why.en.length > 10 && answer.why.ru.length > 10 && answer.code.startsWith(`${machine.name}.`), `${state} ${event} ${actor}`);
          assert.equal(offered(machine, state, actor).includes(event), answer.ok);
        }
      }
    }
  });

  test(`${machine.name}: the table has no move twice, no unknown state, and reaches every state`, () => {
    const seen = new Set<string>();
    for (const { event, from, to } of machine.moves) {
      for (const state of from) {
        assert.ok(!seen.has(`${state} ${event}`), `${state} ${event} twice`);
        seen.add(`${state} ${event}`);
        assert.ok(machine.states.includes(state) && machine.states.includes(to));
      }
    }
    const reached = new Set([machine.initial]);
    for (let before = -1; before !== reached.size; ) {
      before = reached.size;
      for (const { from, to } of machine.moves) if (from.some((state) => reached.has(state))) reached.add(to);
    }
    assert.deepEqual([...reached].sort(), [...machine.states].sort());
    for (const key of Object.keys(machine.refused ?? {})) assert.ok(!seen.has(key.replace('.', ' ')), `${key} is allowed`);
    for (const key of Object.keys(machine.refused ?? {})) assert.ok(machine.states.includes(key.split('.')[0]!), key);
  });
}

/** Nothing leads out of it. */
const isFinal = <State extends string>(machine: Machine<State, string>, state: State): boolean => !machine.moves.some((move) => move.from.includes(state) && move.to !== state);

test('a submission goes the ways that were designed, and no others', () => {
  const to = (state: string, event: string, actor: Actor) => {
    const answer = step(SUBMISSION as unknown as Machine<string, string>, state, event, actor);
    return answer.ok ? answer.to : undefined;
  };
  assert.deepEqual(['check', 'pass', 'accept'].reduce<(string | undefined)[]>((path, event) => [...path, to(path.at(-1)!, event, 'system')], ['submitted']), ['submitted', 'checking', 'in_review', 'accepted']);
  assert.equal(to('in_review', 'accept', 'author'), undefined);
  assert.equal(to('accepted', 'withdraw', 'author'), 'withdrawn');
  assert.equal(to('accepted', 'withdraw', 'moderator'), undefined);
  assert.equal(to('accepted', 'retract', 'moderator'), 'retracted');
  assert.equal(to('rejected', 'appeal', 'author'), 'appealed');
  assert.equal(to('appealed', 'accept', 'moderator'), undefined, 'new reviewers first');
  assert.equal(to('withdrawn', 'reopen', 'admin'), undefined);
  assert.ok(isFinal(SUBMISSION, 'withdrawn') && isFinal(SUBMISSION, 'retracted') && !isFinal(SUBMISSION, 'accepted'));
  assert.ok(mayAppeal('rejected', 1) && !mayAppeal('rejected', 2) && !mayAppeal('accepted', 1));
  assert.ok(!PENDING.includes('accepted') && !PENDING.includes('rejected') && PENDING.includes('quarantined'));
});

test('whose move it is not is told whose it is; what the state forbids is told why', () => {
  assert.deepEqual(step(SUBMISSION, 'accepted', 'retract', 'author'), { ok: false, code: 'submission.retract.not_yours', why: { en: 'Only a moderator or an administrator can do this.', ru: 'Это может сделать только модератор или администратор.' } });
  const answer = step(SUBMISSION, 'accepted', 'revise', 'author');
  assert.ok(!answer.ok && answer.code === 'submission.accepted.revise' && /Withdraw it/.test(answer.why.en));
});

test('whatever happens, a withdrawn or retracted record never comes back, and a decided one never returns to its checks', () => {
  const events = [...new Set(SUBMISSION.moves.map(({ event }) => event))];
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(...events), fc.constantFrom(...ACTORS)), { maxLength: 40 }), (asked) => {
      let state = SUBMISSION.initial;
      let gone = false;
      for (const [event, actor] of asked) {
        const answer = step(SUBMISSION, state, event, actor);
        if (!answer.ok) continue;
        assert.ok(!gone, `${state} was left by ${event}`);
        if (state === 'accepted') assert.ok(answer.to === 'withdrawn' || answer.to === 'retracted');
        state = answer.to;
        gone = state === 'withdrawn' || state === 'retracted';
      }
    }),
    { numRuns: 300, seed: 6 },
  );
});

test('what may be done while a campaign is in each state', () => {
  const may = (state: (typeof CAMPAIGN_STATES)[number]) => DEEDS.filter((deed) => forbids(state, deed) === undefined).join(' ');
  assert.deepEqual(Object.fromEntries(CAMPAIGN_STATES.map((state) => [state, may(state)])), {
    draft: 'draft configure',
    open: 'claim draft submit revise review appeal adjudicate withdraw retract settle seal configure',
    paused: 'draft adjudicate withdraw retract settle seal configure',
    closing: 'draft submit revise review appeal adjudicate withdraw retract settle seal',
    adjudicating: 'draft appeal adjudicate withdraw retract settle audit seal',
    frozen: 'draft withdraw retract deliver seal',
    archived: 'withdraw seal',
  });
  assert.match(forbids('closing', 'claim')!.en, /has ended/);
  assert.equal(stillOpen('freeze', { undecided: 2, under_way: 0, awards_open: 1 }).length, 2);
  assert.deepEqual(stillOpen('freeze', { undecided: 0, under_way: 0, awards_open: 0 }), []);
});

test('a lease goes on while there is work, and ends all the same', () => {
  assert.equal(leaseEnd(0, 0), 30 * 60_000);
  assert.equal(leaseEnd(0, 3_600_000), 3_600_000 + 30 * 60_000);
  assert.equal(leaseEnd(0, LEASE_TIMES.most_ms - 1), LEASE_TIMES.most_ms);
});
