/**
 * The process with the model, seen from the server: jobs in, their events out. Products block the thread they run on, and native code can
 * crash: the server lives on, fails what was running, and starts the process again.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { HEAP } from '../engine/index.ts';
import { InputError, ResourceError, UsageError, type ErrorParts, type RoslinError } from '../errors.ts';
import { unusableAdapter } from './errors.ts';
import type { Failure, FromModel, Job, JobEvent, OpenRequest, ToModel } from './protocol.ts';

export type EngineName = 'roslin' | 'llama.cpp';

export type ModelEvent =
  | { readonly type: 'ended'; readonly how: string; readonly restarts: boolean }
  | { readonly type: 'ready' };

/** An adapter of the model; another state of it has another name. */
export interface Adapter {
  readonly name: string;
  readonly path: string;
}

/** Adapters in memory. */
const ADAPTERS_AT_ONCE = 8;

/** Starts within this time: a model that ends more often will not get better by it. */
const MOST_STARTS = 5;
const STARTS_WITHIN_MS = 10 * 60_000;

const KINDS: Readonly<Record<string, new (parts: ErrorParts) => RoslinError>> = { InputError, ResourceError, UsageError };

const errorOf = ({ name, message, parts }: Failure): Error => {
  const Kind = KINDS[name];
  return Kind && parts ? new Kind(parts) : Object.assign(new Error(message), { name });
};

const gone = (how: string) => new ResourceError({ expected: 'the process with the model to run', found: how, remedy: 'It is started again: send the request once more.' });

interface Listener {
  event(event: JobEvent): void;
  fail(error: Error): void;
}

export class ModelProcess implements AsyncDisposable {
  readonly #engine: EngineName;
  readonly #request: OpenRequest;
  readonly #file: string;
  readonly #tell: (event: ModelEvent) => void;
  #child: ChildProcess | undefined;
  #state: 'starting' | 'ready' | 'ended' = 'starting';
  #closing = false;
  readonly #starts: number[] = [];
  readonly #jobs = new Map<number, Listener>();
  readonly #replies = new Map<number, { resolve: (value: Float32Array | undefined) => void; reject: (error: Error) => void }>();
  /** Adapters in the child, the one used last at the end; a new process has none. */
  readonly #adapters = new Map<string, { readonly loading: Promise<unknown>; jobs: number }>();
  #lastId = 0;

  private constructor(engine: EngineName, request: OpenRequest, tell: (event: ModelEvent) => void) {
    this.#engine = engine;
    this.#request = request;
    this.#tell = tell;
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const file = engine === 'roslin' ? new URL(`./engine-child.${extension}`, import.meta.url) : new URL(`./llama-child.${extension}`, import.meta.url);
    this.#file = fileURLToPath(file);
  }

  /** Resolves when the model is open. Throws InputError or ResourceError where it cannot be. */
  static async open(engine: EngineName, request: OpenRequest, tell: (event: ModelEvent) => void = () => {}): Promise<ModelProcess> {
    const opened = new ModelProcess(engine, request, tell);
    await opened.#start();
    return opened;
  }

  get isReady(): boolean {
    return this.#state === 'ready';
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  #start(): Promise<void> {
    this.#state = 'starting';
    this.#starts.push(Date.now());
    const child = fork(this.#file, { serialization: 'advanced', execArgv: [], env: { ...process.env, ...(this.#engine === 'roslin' ? HEAP : {}) }, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.#child = child;
    return new Promise((resolve, reject) => {
      child.on('message', (raw) => {
        const message = raw as FromModel;
        if (message.kind === 'opened') {
          this.#state = 'ready';
          resolve();
        } else if (message.kind === 'refused') {
          reject(errorOf(message.error));
          child.kill('SIGKILL');
        } else this.#take(message);
      });
      child.on('error', (error) => this.#ended(child, error.message, reject));
      child.once('exit', (code, signal) => this.#ended(child, signal ?? `exit code ${code}`, reject));
      child.send(this.#request);
    });
  }

  #take(message: FromModel): void {
    if (message.kind === 'step') {
      for (const event of message.events) this.#jobs.get(event.id)?.event(event);
    } else if (message.kind === 'reply') {
      const waiting = this.#replies.get(message.id);
      this.#replies.delete(message.id);
      if (message.error) waiting?.reject(errorOf(message.error));
      else waiting?.resolve(message.value);
    }
  }

  #ended(child: ChildProcess, how: string, reject: (error: Error) => void): void {
    if (child !== this.#child) return;
    const wasReady = this.#state === 'ready';
    this.#child = undefined;
    this.#state = 'ended';
    const error = gone(`it ended with ${how}`);
    for (const listener of this.#jobs.values()) listener.fail(error);
    for (const { reject: fail } of this.#replies.values()) fail(error);
    this.#jobs.clear();
    this.#replies.clear();
    this.#adapters.clear();
    reject(new ResourceError({ expected: 'the model to open', found: `the process ended with ${how}`, where: this.#request.model, remedy: 'The system may have run out of memory: try a smaller --context or --parallel.' }));
    // Whoever waits for it to open has been told.
    if (this.#closing || !wasReady) return;
    const restarts = this.#starts.filter((at) => at > Date.now() - STARTS_WITHIN_MS).length < MOST_STARTS;
    this.#tell({ type: 'ended', how, restarts });
    if (restarts) void this.#start().then(() => this.#tell({ type: 'ready' }), (failed: Error) => this.#tell({ type: 'ended', how: failed.message, restarts: false }));
  }

  #send(message: ToModel): void {
    if (this.#state !== 'ready') throw gone(this.#state === 'starting' ? 'it is starting' : 'it has ended');
    this.#child!.send(message);
  }

  /** Runs a job, event by event, until its end. An aborted signal, or leaving the loop, takes it out of the batch. */
  async *run(job: Omit<Job, 'id' | 'adapter'>, adapter?: Adapter, signal?: AbortSignal): AsyncGenerator<JobEvent> {
    using held = await this.#hold(adapter);
    yield* this.#run({ ...job, adapter: held.name }, signal);
  }

  async *#run(job: Omit<Job, 'id'>, signal: AbortSignal | undefined): AsyncGenerator<JobEvent> {
    const id = ++this.#lastId;
    const queue: JobEvent[] = [];
    let failure: Error | undefined;
    let wake = () => {};
    this.#jobs.set(id, {
      event: (event) => {
        queue.push(event);
        wake();
      },
      fail: (error) => {
        failure = error;
        wake();
      },
    });
    const abort = () => wake();
    signal?.addEventListener('abort', abort);
    let ended = false;
    try {
      this.#send({ kind: 'start', job: { ...job, id } });
      for (;;) {
        while (queue.length === 0 && !failure && !signal?.aborted) await new Promise<void>((resolve) => (wake = resolve));
        if (signal?.aborted) return;
        const event = queue.shift();
        if (!event) throw failure!;
        ended = event.end !== undefined || event.error !== undefined;
        if (event.error) throw errorOf(event.error);
        yield event;
        if (ended) return;
      }
    } finally {
      signal?.removeEventListener('abort', abort);
      this.#jobs.delete(id);
      if (!ended && this.#state === 'ready') this.#child!.send({ kind: 'cancel', id } satisfies ToModel);
    }
  }

  #ask(message: (id: number) => ToModel): Promise<Float32Array | undefined> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#send(message(id));
      this.#replies.set(id, { resolve, reject });
    });
  }

  /** One vector for a text, of the model's hidden size. */
  async embed(ids: Int32Array, adapter?: Adapter): Promise<Float32Array> {
    using held = await this.#hold(adapter);
    return (await this.#ask((id) => ({ kind: 'embed', id, adapter: held.name, ids })))!;
  }

  /** Loads an adapter unless it is there, and keeps it until it is let go. */
  async #hold(adapter: Adapter | undefined): Promise<Disposable & { readonly name: string }> {
    if (!adapter) return { name: '', [Symbol.dispose]: () => {} };
    const { name, path } = adapter;
    const entry = this.#adapters.get(name) ?? { loading: this.#ask((id) => ({ kind: 'adapter', id, name, path, drop: this.#idle() })), jobs: 0 };
    this.#adapters.delete(name);
    this.#adapters.set(name, entry);
    entry.jobs++;
    const release = () => void entry.jobs--;
    try {
      await entry.loading;
    } catch (error) {
      release();
      if (this.#adapters.get(name) === entry) this.#adapters.delete(name);
      throw error instanceof InputError ? unusableAdapter(name.replace(/@.*/, ''), error) : error;
    }
    return { name, [Symbol.dispose]: release };
  }

  /** Adapters that nobody uses and that make room for one more, those that were used longest ago first. */
  #idle(): string[] {
    const idle = [...this.#adapters].filter(([, { jobs }]) => jobs === 0).map(([name]) => name);
    const dropped = idle.slice(0, Math.max(0, this.#adapters.size + 1 - ADAPTERS_AT_ONCE));
    for (const name of dropped) this.#adapters.delete(name);
    return dropped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    const child = this.#child;
    if (!child) return;
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
    if (child.connected) child.disconnect();
    await exited;
    clearTimeout(timer);
  }
}
