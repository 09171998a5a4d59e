/** Greedy answers to records, and what they came to. */
import type { InstructionRecord } from '../artefacts/record.ts';
import { generate, repeats } from '../inference/generate.ts';
import type { OpenedModel } from '../inference/open-model.ts';
import { GREEDY } from '../inference/sample.ts';
import type { Network } from '../models/network.ts';
import { wordF1 } from '../text/overlap.ts';
import { encodePrompt } from '../tokenizer/example.ts';

export interface Answer {
  readonly line: number;
  readonly category: string;
  readonly instruction: string;
  readonly answer: string;
  readonly stopped: boolean;
  readonly loops: boolean;
  readonly tokens: number;
  /** Whether it is the response, white space at its ends apart. */
  readonly exact: boolean;
  /** F1 of its words and the response's. */
  readonly overlap: number;
}

/** What greedy answers came to. */
export interface AnswerScores {
  readonly answered: number;
  /** Share that ended with the stop token. */
  readonly stop_rate: number;
  /** Answers in which a run of 20 tokens occurs twice. */
  readonly loops: number;
  /** Share that are the response. */
  readonly exact_rate: number;
  readonly overlap: number;
}

export const share = (values: readonly boolean[]): number => values.filter(Boolean).length / values.length;

export const answerScores = (answers: readonly Answer[]): AnswerScores => ({
  answered: answers.length, stop_rate: share(answers.map((a) => a.stopped)), loops: answers.filter((a) => a.loops).length, exact_rate: share(answers.map((a) => a.exact)),
  overlap: answers.reduce((sum, a) => sum + a.overlap, 0) / answers.length,
});

export function scoresByCategory(answers: readonly Answer[]): Record<string, AnswerScores> {
  const categories = [...new Set(answers.map((a) => a.category))].sort();
  return Object.fromEntries(categories.map((c) => [c, answerScores(answers.filter((a) => a.category === c))]));
}

export interface AnsweredEvent {
  readonly type: 'answered';
  readonly done: number;
  readonly of: number;
  readonly tokens: number;
}

/** Answers in the order of the records; their prompts must fit the context. */
export async function* answerAll(network: Network, model: OpenedModel, records: readonly InstructionRecord[], maxNewTokens: number): AsyncGenerator<AnsweredEvent, Answer[]> {
  const { tokenizer, template } = model;
  const prompts = records.map((r) => encodePrompt(r, tokenizer, template));
  const settings = { sampling: GREEDY, maxNewTokens, stopIds: [tokenizer.specialId(template.stopToken)!], seed: 0, vocabulary: tokenizer.size };
  const answers: Answer[] = [];
  let tokens = 0;
  for await (const event of generate(network, prompts, settings)) {
    if (event.type === 'token') tokens++;
    else {
      const { line, category, instruction, response } = records[event.prompt]!;
      const answer = tokenizer.decode(event.ids, { skipSpecial: true }).trim();
      answers.push({
        line, category, instruction, answer, stopped: event.stopped, loops: repeats(event.ids), tokens: event.ids.length, exact: answer === response.trim(), overlap: wordF1(answer, response),
      });
    }
    yield { type: 'answered', done: answers.length, of: records.length, tokens };
  }
  return answers.sort((a, b) => a.line - b.line);
}
