/** `roslin generate`: one answer, as it comes. */
import { Command } from 'commander';
import { resolve } from './resolve.ts';
import { note, printJson, sanitise } from './terminal.ts';
import { notNegative, templateOption, wholeNumber } from './train-options.ts';

interface Flags {
  readonly model: string;
  readonly instruction: string;
  readonly context: string;
  readonly template?: 'dolly' | 'chat';
  readonly base?: string;
  readonly maxNewTokens: number;
  readonly temperature: number;
  readonly topP: number;
  readonly topK: number;
  readonly seed?: number;
  readonly threads?: number;
  readonly offline?: boolean;
  readonly json?: boolean;
}

export function command(): Command {
  return new Command()
    .requiredOption('--model <model>', 'a run, a model folder, a .gguf file or a hub id')
    .requiredOption('--instruction <text>', 'what to do')
    .option('--context <text>', 'a text to do it with', '')
    .addOption(templateOption())
    .option('--base <model>', 'where the base of a LoRA run is now')
    .option('--max-new-tokens <n>', 'longest answer', wholeNumber(1), 256)
    .option('--temperature <x>', '0: always the most likely token', notNegative, 1)
    .option('--top-p <x>', 'smallest set of tokens with this probability', notNegative, 0.92)
    .option('--top-k <n>', 'most tokens considered, 0: all', wholeNumber(0), 0)
    .option('--seed <n>', 'for the same answer again (default: another every time)', wholeNumber(0))
    .option('--threads <n>', 'threads of a product (default: all cores)', wholeNumber(1))
    .option('--offline', 'use only what is already here')
    .option('--json', 'print one JSON object')
    .action(async (flags: Flags) => {
      const model = await resolve(flags.model, 'model', flags);
      const { answer } = await import('../inference/answer.ts');
      const seed = flags.seed ?? Math.floor(Math.random() * 2 ** 31);
      const events = answer({
        model: model.path, base: flags.base, template: flags.template, instruction: flags.instruction, context: flags.context, maxNewTokens: flags.maxNewTokens,
        sampling: { temperature: flags.temperature, topP: flags.topP || 1, topK: flags.topK }, seed, threads: flags.threads,
      });
      let next = await events.next();
      for (; !next.done; next = await events.next()) if (!flags.json) process.stdout.write(sanitise(next.value));
      const result = next.value;
      if (flags.json) return printJson({ ...result, seed });
      process.stdout.write('\n');
      note(`${result.tokens} tokens, ${result.tokens_per_second.toFixed(1)} a second${result.stopped ? '' : '; cut at its greatest length'}`);
    });
}
