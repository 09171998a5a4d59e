/** `roslin generate`: one answer, as it comes. */
import { Command } from 'commander';
import { resolve, resolveBase } from './resolve.ts';
import { addSamplingOptions, samplingOf, seedOf, type SamplingFlags } from './sampling-options.ts';
import { note, printJson, sanitise } from './terminal.ts';

interface Flags extends SamplingFlags {
  readonly instruction: string;
  readonly context: string;
  readonly json?: boolean;
}

export function command(): Command {
  return addSamplingOptions(new Command())
    .requiredOption('--instruction <text>', 'what to do')
    .option('--context <text>', 'a text to do it with', '')
    .option('--json', 'print one JSON object')
    .action(async (flags: Flags) => {
      const model = await resolve(flags.model, 'model', flags);
      const { answer } = await import('../inference/answer.ts');
      const seed = seedOf(flags);
      const base = await resolveBase(flags);
      const { template, instruction, context, maxNewTokens, threads } = flags;
      const pieces = answer({ model: model.path, base, template, threads, instruction, context, maxNewTokens, sampling: samplingOf(flags), seed });
      let next = await pieces.next();
      for (; !next.done; next = await pieces.next()) if (!flags.json) process.stdout.write(sanitise(next.value));
      const result = next.value;
      if (flags.json) return printJson({ ...result, seed });
      process.stdout.write('\n');
      note(`${result.tokens} tokens, ${result.tokens_per_second.toFixed(1)} a second${result.stopped ? '' : '; cut at its greatest length'}`);
    });
}
