/** `roslin plan`: what `train` with the same flags would take. */
import { Command } from 'commander';
import { planInProcess } from '../train/process.ts';
import { interruptSignal } from './interrupt.ts';
import { Progress } from './progress.ts';
import { bytes, count, duration, note, painter, print, printJson, table } from './terminal.ts';
import { addTrainOptions, trainOptions } from './train-options.ts';

export function command(): Command {
  return addTrainOptions(new Command()).action(async (flags: Record<string, unknown>) => {
    const options = await trainOptions(flags);
    using progress = new Progress();
    const events = planInProcess(options, interruptSignal());
    for (;;) {
      const next = await events.next();
      if (!next.done) {
        if (next.value.type === 'probing') progress.update(`trying update ${next.value.done + 1} of ${next.value.of}`);
        continue;
      }
      const e = next.value;
      progress.finish('');
      if (flags['json']) return printJson(e);
      const percent = (x: number) => `${(100 * x).toFixed(1)} %`;
      print(table([{ title: '' }, { title: '' }], [
        ['parameters', `${count(e.parameters)}, ${count(e.trainable)} trained`],
        ['rows', `${e.train_rows} to train on, ${e.held_out_rows} held out, ${e.dropped.length} left out as too long`],
        ['tokens an epoch', `${count(e.tokens)}, ${percent(e.label_share)} of them trained`],
        ['padding', `none (batches of 8 padded to the longest would waste ${percent(e.padding_avoided)})`],
        ['updates', String(e.steps)],
        ['time', `about ${duration(e.seconds)}`],
        ['memory', `about ${bytes(e.memory)}`],
        ['disk', `${bytes(e.disk)} of ${bytes(e.disk_free)} free`],
      ]));
      const paint = painter(process.stderr);
      for (const warning of e.warnings) note(paint('yellow', warning));
      return;
    }
  });
}
