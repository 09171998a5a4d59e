/**
 * The loop of a process with a model: takes jobs between steps, and makes a step of all that run as long as any does, so that a text that
 * comes or goes never waits for another's end (continuous batching). What a step is, each engine says (engine-batch.ts, llama-batch.ts).
 */
import { setImmediate } from 'node:timers/promises';
import { RoslinError } from '../errors.ts';
import type { Failure, FromModel, Job, JobEvent, OpenRequest, ToModel } from './protocol.ts';

export interface Batch {
  readonly busy: boolean;
  start(job: Job): void;
  /** Frees what a job holds, finished or not; an unknown one is no error. */
  cancel(id: number): Promise<void> | void;
  /** One more token for each text, or a piece of its prompt. Rejects only where nothing can go on. */
  step(): Promise<JobEvent[]>;
  loadAdapter(name: string, path: string): Promise<void>;
  /** Only one that no job uses. */
  dropAdapter(name: string): Promise<void> | void;
  /** One vector for a text. */
  embed(adapter: string, ids: Int32Array): Promise<Float32Array>;
}

/** New ids of prompts in one step: while some texts wait for their next token, a long prompt comes in pieces. */
export const PROMPT_PIECE = 256;

export const failureOf = (error: unknown): Failure => {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return { name, message, ...(error instanceof RoslinError ? { parts: error.parts } : {}) };
};

/** Serves the parent of this process until it is gone. */
export async function serveParent(open: (request: OpenRequest) => Promise<Batch>): Promise<void> {
  const inbox: ToModel[] = [];
  let wake = () => {};
  // Ctrl-C reaches the whole process group; the parent decides.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => {});
  process.on('disconnect', () => process.exit(0));
  process.on('message', (message: ToModel) => {
    inbox.push(message);
    wake();
  });
  const send = (message: FromModel) => process.connected && process.send!(message);
  let batch: Batch | undefined;

  const take = async (message: ToModel): Promise<void> => {
    if (message.kind === 'open') {
      try {
        batch = await open(message);
        send({ kind: 'opened' });
      } catch (error) {
        send({ kind: 'refused', error: failureOf(error) });
      }
    } else if (message.kind === 'start') {
      try {
        batch!.start(message.job);
      } catch (error) {
        send({ kind: 'step', events: [{ id: message.job.id, error: failureOf(error) }] });
      }
    } else if (message.kind === 'cancel') await batch!.cancel(message.id);
    else {
      try {
        if (message.kind === 'adapter') for (const name of message.drop) await batch!.dropAdapter(name);
        const value = message.kind === 'embed' ? await batch!.embed(message.adapter, message.ids) : await batch!.loadAdapter(message.name, message.path);
        send({ kind: 'reply', id: message.id, ...(value ? { value } : {}) });
      } catch (error) {
        send({ kind: 'reply', id: message.id, error: failureOf(error) });
      }
    }
  };

  for (;;) {
    for (let message = inbox.shift(); message; message = inbox.shift()) await take(message);
    if (batch?.busy) {
      const events = await batch.step();
      if (events.length > 0) send({ kind: 'step', events });
      // Products block the thread: messages arrive only here.
      await setImmediate();
    } else if (inbox.length === 0) await new Promise<void>((resolve) => (wake = resolve));
  }
}
