/** Records with several answers to choose from: does the model find the right one the most likely? */
import type { InstructionRecord } from '../artefacts/record.ts';
import { groupByTokens, microBatch } from '../inference/micro-batches.ts';
import type { OpenedModel } from '../inference/open-model.ts';
import type { Network } from '../models/network.ts';
import { encodeExamples } from '../tokenizer/example.ts';

/**
 * Whether each record's response has a higher probability, stop token included, than every other of its choices. A tie
 * is wrong, and a record with a choice that the model's context cannot hold is left out. Yields how many answers have been scored.
 */
export async function* chooseByLikelihood(network: Network, model: OpenedModel, records: readonly InstructionRecord[], tokens = 2048): AsyncGenerator<{ readonly done: number; readonly of: number }, boolean[]> {
  const offered = records.flatMap((record, at) => record.choices!.map((response) => ({ at, right: response === record.response, record: { ...record, response } })));
  const { examples } = encodeExamples(offered.map((o) => o.record), model.tokenizer, model.template, { maxLength: Infinity, overlong: 'drop' });
  const best = records.map(() => ({ right: -Infinity, wrong: -Infinity }));
  const tooLong = new Set(offered.filter((_, i) => examples[i]!.ids.length > model.architecture.contextLength).map(({ at }) => at));
  const compared = examples.map((example, i) => ({ ...example, i })).filter(({ i }) => !tooLong.has(offered[i]!.at));
  let done = 0;
  for (const group of groupByTokens(compared, tokens)) {
    const losses = await network.losses(microBatch(group, network.device));
    let from = 0;
    for (const { trained, i } of group) {
      const labels = trained.reduce((a, b) => a + b, 0);
      const likelihood = -losses.subarray(from, (from += labels)).reduce((a, b) => a + b, 0);
      const { at, right } = offered[i]!;
      const side = right ? 'right' : 'wrong';
      best[at]![side] = Math.max(best[at]![side], likelihood);
    }
    yield { done: (done += group.length), of: compared.length };
  }
  return best.filter((_, at) => !tooLong.has(at)).map(({ right, wrong }) => right > wrong);
}
