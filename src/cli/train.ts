/** `roslin train`: a run in a process of its own, drawn as it goes. */
import { Command } from 'commander';
import type { TrainOptions } from '../train/options.ts';
import { trainInProcess } from '../train/process.ts';
import { interruptSignal } from './interrupt.ts';
import { print, printJson } from './terminal.ts';
import { TrainView } from './train-view.ts';
import { addTrainOptions, trainOptions } from './train-options.ts';

export function command(): Command {
  return addTrainOptions(new Command()).option('--resume', 'go on with a run that was interrupted').action(async (flags: Record<string, unknown>) => {
    await runTraining(await trainOptions(flags), flags, (out) => `Try: roslin generate --model ${out} --instruction "…"`);
  });
}

/** Trains and draws; tells where the result is, and what to do next. */
export async function runTraining(options: TrainOptions, flags: Readonly<Record<string, unknown>>, next: (out: string) => string): Promise<void> {
  const view = new TrainView();
  for await (const event of trainInProcess(options, { signal: interruptSignal(), resume: flags['resume'] === true })) {
    view.show(event);
    if (event.type === 'stopped') process.exitCode = 130;
    if (event.type !== 'done') continue;
    if (flags['json']) printJson({ out: event.out, ...event.result });
    else print(`${event.out} is ready. ${next(event.out)}`);
  }
}
