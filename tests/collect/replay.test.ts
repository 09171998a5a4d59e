/** The replay of a week: deterministic, in order, complete, and shaped like a campaign. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { Random } from '../../src/artefacts/random.ts';
import { readRecords } from '../../src/artefacts/record.ts';
import { DEMO_PASSAGES } from '../../src/collect/demo/passages.ts';
import { DEMO_RECORDS } from '../../src/collect/demo/records.ts';
import { formFindings } from '../../src/collect/rules/forms.ts';
import { reviewFaults } from '../../src/collect/rules/review-outcome.ts';
import { DOLLY_WEEK, judge, REPLAY_FORM_RULES, replayEvents, replayText, replayTexts, typedSoFar, type ReplayEvent, type ReplaySettings, type ReplayText } from './replay.ts';

const demo: ReplayText[] = DEMO_RECORDS.map((record) => ({ ...record, context: DEMO_PASSAGES.find(({ key }) => key === record.passage)?.text ?? '' }));
const small: ReplaySettings = { ...DOLLY_WEEK, people: 40, submissions: 120, teams: 5 };

function checked(events: readonly ReplayEvent[], settings: ReplaySettings): void {
  const joined = new Set<number>();
  const holds = new Map<number, number>();
  const submitted = new Set<number>();
  let before = -Infinity;
  for (const event of events) {
    assert.ok(event.at >= before, 'in order');
    before = event.at;
    if (event.type === 'join') joined.add(event.person);
    else assert.ok(joined.has(event.person), `person ${event.person} has joined`);
    if (event.type === 'claim') holds.set(event.submission, event.person);
    if (event.type === 'give_up') assert.ok(holds.delete(event.submission));
    if (event.type === 'submit') {
      assert.equal(holds.get(event.submission), event.person);
      assert.ok(!submitted.has(event.submission));
      submitted.add(event.submission);
    }
    if (event.type === 'withdraw') assert.ok(submitted.has(event.submission));
  }
  assert.equal(submitted.size, settings.submissions);
  assert.equal(joined.size, settings.people);
  assert.equal(events.filter(({ type }) => type === 'review').length, settings.submissions * settings.reviews_each);
}

test('the same from its seed, in order, everything there', () => {
  const events = replayEvents(demo, small);
  assert.deepEqual(replayEvents(demo, small), events);
  assert.notDeepEqual(replayEvents(demo, { ...small, seed: 2 }), events);
  checked(events, small);
});

test('texts are all different, and too few records are refused', () => {
  const texts = replayTexts(demo, 300, new Random(1));
  assert.equal(new Set(texts.map(({ instruction, response }) => `${instruction}\n${response}`)).size, 300);
  assert.throws(() => replayTexts(demo.slice(0, 1), 5, new Random(1)), /do not make 5 texts/);
});

test('reviews that the rules let through, mostly accepting, and the same whenever one asks', () => {
  const verdicts = { accept: 0, fix: 0, reject: 0 };
  for (let submission = 0; submission < 400; submission++) {
    for (const person of [1, 2]) {
      const review = judge(small, submission, person, submission % 3 === 0);
      assert.deepEqual(reviewFaults({ ...review, flags: [] }, submission % 3 === 0), []);
      assert.deepEqual(judge(small, submission, person, submission % 3 === 0), review);
      verdicts[review.verdict]++;
    }
  }
  assert.ok(verdicts.accept > 600 && verdicts.accept < 760, JSON.stringify(verdicts));
});

test('what was typed so far grows to the whole text', () => {
  const saves = [1, 2, 3, 4].map((nth) => typedSoFar(demo[0]!, nth, 4));
  for (const [i, save] of saves.entries()) if (i > 0) assert.ok(save.instruction.length + save.response.length > saves[i - 1]!.instruction.length + saves[i - 1]!.response.length);
  assert.deepEqual(saves[3], { instruction: demo[0]!.instruction, context: demo[0]!.context, response: demo[0]!.response });
});

const folder = new URL('../../../shared/data/dolly/', import.meta.url);
const parts = [0, 1, 2].map((n) => new URL(`databricks-dolly-15k.part${n}.jsonl`, folder));
test('a week of Dolly: 5,000 people, 15,000 submissions, 30,000 reviews', { skip: parts.every((part) => existsSync(part)) ? false : 'no ../shared/data/dolly' }, () => {
  const sources = parts.flatMap((part) => readRecords(part.pathname)).map(replayText).filter((text) => text !== undefined);
  const events = replayEvents(sources);
  checked(events, DOLLY_WEEK);
  const written = new Map<number, number>();
  for (const event of events) if (event.type === 'submit') written.set(event.person, (written.get(event.person) ?? 0) + 1);
  const counts = [...written.values()].sort((a, b) => b - a);
  assert.ok(counts[0]! > 50 && counts[0]! < 500, `the most that one person writes: ${counts[0]}`);
  const submits = events.filter((event) => event.type === 'submit');
  for (const { text } of submits.slice(0, 500)) assert.deepEqual(formFindings(text.category, text, 'en', REPLAY_FORM_RULES), []);
});
