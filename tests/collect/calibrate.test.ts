/** A pilot's figures to a proposal of rules. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calibrate, PILOT_LEAST, type PilotRecord } from '../../src/collect/rules/calibrate.ts';
import { FIRST_RULES, rulesFaults } from '../../src/collect/rules/points-rules.ts';

test('medians, rounded; too few records change nothing', () => {
  const pilot: PilotRecord[] = [
    ...Array.from({ length: 21 }, (_, i): PilotRecord => ({ category: 'summarization', words: 40 + i, active_ms: (5 + i * 0.2) * 60_000 })),
    ...Array.from({ length: PILOT_LEAST - 1 }, (): PilotRecord => ({ category: 'open_qa', words: 500, active_ms: 60 * 60_000 })),
    // One that somebody left open over lunch moves a mean, not a median.
    { category: 'summarization', words: 51, active_ms: 9 * 3_600_000 },
  ];
  const { rules, found } = calibrate(FIRST_RULES, 'pilot-1', pilot);
  assert.equal(rules.version, 'pilot-1');
  assert.deepEqual([rules.base_mp.summarization, rules.full_words.summarization], [7000, 50], 'median 7.1 minutes and 50.5 words');
  assert.deepEqual([rules.base_mp.open_qa, rules.full_words.open_qa], [FIRST_RULES.base_mp.open_qa, FIRST_RULES.full_words.open_qa]);
  assert.equal(found.find(({ category }) => category === 'open_qa')!.minutes, undefined);
  assert.deepEqual(rulesFaults(rules), []);
});
