/** Learning rates (docs/numbers.md 1 and 3). `step` counts updates from 0; `total` is the number of updates of the run. */

export type Schedule = 'dolly' | 'linear' | 'cosine' | 'constant';

export interface ScheduleOptions {
  readonly schedule: Schedule;
  readonly rate: number;
  readonly warmup: number;
  readonly total: number;
}

/**
 * dolly: rate * ln(s + 1) / ln(warmup), then constant (DeepSpeed's WarmupLR of type "log").
 * linear, cosine, constant: Hugging Face's, with a linear warm-up whose first update has rate 0.
 */
export function learningRate({ schedule, rate, warmup, total }: ScheduleOptions, step: number): number {
  if (schedule === 'dolly') return step < warmup && warmup > 1 ? (rate * Math.log(step + 1)) / Math.log(warmup) : rate;
  if (step < warmup) return (rate * step) / Math.max(1, warmup);
  if (schedule === 'constant') return rate;
  const progress = (step - warmup) / Math.max(1, total - warmup);
  return rate * Math.max(0, schedule === 'linear' ? 1 - progress : 0.5 * (1 + Math.cos(Math.PI * progress)));
}
