/** The child process of `process.ts`: takes one job, sends its events. Ends at once when its parent is gone. */
import { RoslinError } from '../errors.ts';
import { plan } from './plan.ts';
import type { Job, Message } from './process.ts';
import { train } from './trainer.ts';

const stop = new AbortController();
const send = (message: Message) => new Promise<void>((resolve) => process.send!(message, () => resolve()));

// Ctrl-C reaches the whole process group; the parent decides and says 'stop'.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit(1));
process.on('message', (message: Job | 'stop') => {
  if (message === 'stop') stop.abort();
  else void work(message);
});

async function work(job: Job): Promise<void> {
  try {
    const events = job.kind === 'train' ? train(job.options, { signal: stop.signal, resume: job.resume }) : plan(job.options);
    for await (const event of events) await send({ event });
    await send({ end: true });
  } catch (error) {
    const { name, message } = error as Error;
    await send({ error: { name, message, ...(error instanceof RoslinError ? { parts: error.parts } : {}) } });
  }
  process.removeAllListeners('disconnect');
  process.disconnect();
}
