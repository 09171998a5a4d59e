/**
 * A run in a process of its own: products block the thread they run on, and a run must not take its caller down. Events
 * come over the channel that Node gives to a forked child; errors keep their kind.
 */
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { HEAP } from '../engine/index.ts';
import { InputError, ResourceError, UsageError, type ErrorParts, type RoslinError } from '../errors.ts';
import type { TrainEvent } from './events.ts';
import type { TrainOptions } from './options.ts';
import type { Estimate, PlanEvent } from './plan.ts';

export type Job = { readonly kind: 'train'; readonly options: TrainOptions; readonly resume: boolean } | { readonly kind: 'plan'; readonly options: TrainOptions };
export type Message = { readonly event: TrainEvent | PlanEvent } | { readonly error: { name: string; message: string; parts?: ErrorParts } } | { readonly end: true };

const KINDS: Readonly<Record<string, new (parts: ErrorParts) => RoslinError>> = { InputError, ResourceError, UsageError };

/** The worker beside this file: TypeScript in a clone, JavaScript in the published package. */
function workerPath(): string {
  const ts = fileURLToPath(new URL('./worker.ts', import.meta.url));
  return existsSync(ts) ? ts : fileURLToPath(new URL('./worker.js', import.meta.url));
}

async function* inProcess(job: Job, signal: AbortSignal | undefined): AsyncGenerator<TrainEvent | PlanEvent> {
  const child = fork(workerPath(), { serialization: 'advanced', env: { ...process.env, ...HEAP }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const queue: Message[] = [];
  let wake = () => {};
  let exit: string | undefined;
  child.on('message', (message) => {
    queue.push(message as Message);
    wake();
  });
  child.on('exit', (code, killed) => {
    exit = killed ?? `exit code ${code}`;
    wake();
  });
  const stop = () => child.connected && child.send('stop');
  signal?.addEventListener('abort', stop);
  child.send(job);
  try {
    for (;;) {
      while (queue.length === 0 && exit === undefined) await new Promise<void>((resolve) => (wake = resolve));
      const message = queue.shift();
      if (!message) throw new ResourceError({ expected: 'the training process to end by itself', found: exit!, remedy: exit === 'SIGKILL' ? 'The system may have run out of memory: try a smaller --micro-tokens, then go on with --resume.' : 'Go on with --resume.' });
      if ('end' in message) return;
      if ('error' in message) {
        const { name, message: text, parts } = message.error;
        const Kind = KINDS[name];
        if (Kind && parts) throw new Kind(parts);
        throw Object.assign(new Error(text), { name });
      }
      yield message.event;
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    if (exit === undefined && child.connected) child.disconnect();
  }
}

/** `train` in a process of its own. On `signal` it saves a checkpoint and ends with `stopped`. */
export function trainInProcess(options: TrainOptions, { signal, resume = false }: { signal?: AbortSignal; resume?: boolean } = {}): AsyncGenerator<TrainEvent> {
  return inProcess({ kind: 'train', options, resume }, signal) as AsyncGenerator<TrainEvent>;
}

/** The estimate of a run, from a short probe in a process of its own, so that its memory is that of the run. */
export async function* planInProcess(options: TrainOptions, signal?: AbortSignal): AsyncGenerator<PlanEvent, Estimate> {
  for await (const event of inProcess({ kind: 'plan', options }, signal) as AsyncGenerator<PlanEvent>) {
    if (event.type === 'planned') return event.estimate;
    yield event;
  }
  throw new ResourceError({ expected: 'an estimate', found: 'none' });
}
