/** `roslin evaluate`: a model on held-out records. */
import { Command } from 'commander';
import { evaluate } from '../evaluate/held-out.ts';
import { Progress } from './progress.ts';
import { resolve, resolveBase } from './resolve.ts';
import { note, print, printJson, sanitise, table } from './terminal.ts';
import { templateOption, wholeNumber } from './train-options.ts';

export function command(): Command {
  return new Command()
    .requiredOption('--model <model>', 'a run, a model folder, a .gguf file or a hub id')
    .requiredOption('--data <file>', 'records the model has not seen: a .jsonl file')
    .addOption(templateOption())
    .option('--base <model>', 'the base of a LoRA run or adapter: where it is now, or a hub id')
    .option('--categories <a,b>', 'records of these categories only', (text) => text.split(','))
    .option('--limit <n>', 'first records only', wholeNumber(1))
    .option('--stop-rate <n>', 'let it answer this many records greedily, and count the answers that end', wholeNumber(1))
    .option('--max-new-tokens <n>', 'of such an answer', wholeNumber(1), 256)
    .option('--threads <n>', 'threads of a product (default: all cores)', wholeNumber(1))
    .option('--offline', 'use only what is already here')
    .option('--json', 'print one JSON object')
    .action(async (flags: { model: string; data: string; template?: 'dolly' | 'chat'; base?: string; categories?: string[]; limit?: number; stopRate?: number; maxNewTokens: number; threads?: number; offline?: boolean; json?: boolean }) => {
      const [model, data] = [await resolve(flags.model, 'model', flags), await resolve(flags.data, 'dataset', flags)];
      const events = evaluate({ ...flags, model: model.path, base: await resolveBase(flags), data: data.path, answers: flags.stopRate });
      using progress = new Progress();
      let next = await events.next();
      for (; !next.done; next = await events.next()) {
        const e = next.value;
        progress.update(e.type === 'answered' ? `answered ${e.done} of ${e.of}, ${e.tokens} tokens` : `${e.type === 'scored' ? 'scored' : 'compared'} ${e.done} of ${e.of} ${e.type === 'scored' ? 'records' : 'choices'}`);
      }
      const result = next.value;
      progress.finish('');
      if (flags.json) return printJson(result);
      const number = (x: number) => x.toFixed(4);
      const row = (name: string, r: typeof result.by_category[string]) => [sanitise(name), String(r.records), number(r.loss), number(r.stop_loss), number(r.perplexity), number(r.bits_per_byte)];
      const columns = [{ title: 'category' }, ...['records', 'loss', 'stop loss', 'perplexity', 'bits/byte'].map((title) => ({ title, align: 'right' as const }))];
      print(table(columns, [...Object.entries(result.by_category).map(([name, r]) => row(name, r)), row('all', result)]));
      note(`template ${result.template}; loss in nats a response token, the stop token apart${result.dropped ? `; ${result.dropped} records too long` : ''}`);
      const percent = (x: number) => `${(100 * x).toFixed(1)} %`;
      if (result.choice_accuracy !== undefined) print(`${percent(result.choice_accuracy)} of ${result.choice_records} records with choices: the right one is the most likely`);
      if (result.answers) {
        print(`${result.answers.filter((a) => a.stopped).length} of ${result.answers.length} greedy answers stopped by themselves, ${result.loops} turned in circles; ${percent(result.exact_rate!)} are the response, and they share ${percent(result.overlap!)} of its words`);
        for (const a of result.answers.slice(0, 5)) print(`\n> ${sanitise(a.instruction)}\n${sanitise(a.answer)}`);
      }
    });
}
