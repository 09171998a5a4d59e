/** llama.cpp with one GGUF open, in a process of its own. Not a server: one request at a time, for trying what was exported. */
import { fork, type ChildProcess } from 'node:child_process';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { InputError, ResourceError } from '../errors.ts';
import { openGguf } from '../formats/gguf.ts';
import { locateLlama, installLlama } from './install.ts';
import type { GreedyAnswer, LoadRequest, Reply, Request, TokenRow } from './protocol.ts';

export interface LlamaOptions {
  /** Room for a text, in tokens. */
  readonly contextSize: number;
  readonly threads?: number | undefined;
  /** An adapter GGUF to lay beside the model. */
  readonly adapter?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds within which each request must be answered; what no slow machine needs, if it is not given. */
  readonly limit?: number | undefined;
  /** Not to be fetched where it is missing. */
  readonly offline?: boolean | undefined;
}

/** Ten minutes, and two seconds more for each megabyte: far beyond what a text takes, and still an end. At most what a timer can hold. */
const limitFor = (bytes: number): number => Math.min(600_000 + (bytes / 1e6) * 2000, 2 ** 31 - 1);

export class LlamaCpp implements AsyncDisposable {
  readonly path: string;
  /** Whether llama.cpp puts a begin token before every text. */
  prependsBos = false;
  readonly #child: ChildProcess;
  readonly #waiting: { resolve: (reply: Reply) => void }[] = [];
  readonly #limit: number;
  #exit: string | undefined;

  private constructor(path: string, signal: AbortSignal | undefined, limit: number) {
    this.path = path;
    this.#limit = limit;
    const file = import.meta.url.endsWith('.ts') ? './child.ts' : './child.js';
    // What it prints by itself is of no use to anybody here.
    this.#child = fork(fileURLToPath(new URL(file, import.meta.url)), { serialization: 'advanced', execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    this.#child.on('message', (reply) => this.#waiting.shift()?.resolve(reply as Reply));
    this.#child.on('error', (error) => this.#ended(`the process ended: ${error.message}`));
    this.#child.on('exit', (code, killed) => this.#ended(`the process ended: ${killed ?? `exit code ${code}`}`));
    signal?.addEventListener('abort', () => this.#child.kill('SIGKILL'), { once: true });
  }

  /**
   * Loads a file, fetching llama.cpp first where it is nowhere.
   * Throws InputError where llama.cpp refuses the file, ResourceError where it cannot be had or its process ends.
   */
  static async open(path: string, { signal, offline, limit, ...options }: LlamaOptions): Promise<LlamaCpp> {
    // A file that is cut off makes node-llama-cpp wait for ever: what our reader refuses is not shown to it.
    openGguf(path).close();
    if (locateLlama() === undefined) installLlama(offline);
    const entry = locateLlama();
    if (entry === undefined) throw new ResourceError({ expected: 'llama.cpp after it was installed', found: 'none', remedy: 'Delete the folder "runtime" in Roslin\'s cache, and try again.' });
    const llama = new LlamaCpp(path, signal, limit ?? limitFor(statSync(path).size));
    try {
      const request: LoadRequest = { kind: 'load', entry, path, ...options };
      llama.prependsBos = ((await llama.#ask(request)) as { bos: boolean }).bos;
      return llama;
    } catch (error) {
      llama.#child.kill('SIGKILL');
      throw error;
    }
  }

  /** Ids of texts, none added. `special`: special tokens in them are read as such. */
  tokenize(texts: readonly string[], special: boolean): Promise<number[][]> {
    return this.#ask({ kind: 'tokenize', texts, special }) as Promise<number[][]>;
  }

  tokens(ids: readonly number[]): Promise<TokenRow[]> {
    return this.#ask({ kind: 'tokens', ids }) as Promise<TokenRow[]>;
  }

  /** Natural logarithms of the probabilities after each id from index `from` on, [ids.length - from, vocabulary]; at least -104. */
  score(ids: readonly number[], from: number, vocabulary: number): Promise<Float32Array> {
    return this.#ask({ kind: 'score', ids, from, vocabulary }) as Promise<Float32Array>;
  }

  /** The likeliest ids after `ids`, at most `most`. */
  greedy(ids: readonly number[], most: number): Promise<GreedyAnswer> {
    return this.#ask({ kind: 'greedy', ids, most }) as Promise<GreedyAnswer>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#exit !== undefined) return;
    const gone = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()));
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
    await this.#ask({ kind: 'end' }).catch(() => this.#child.kill('SIGKILL'));
    await gone;
    clearTimeout(timer);
  }

  #ended(how: string): void {
    this.#exit ??= how;
    for (const { resolve } of this.#waiting.splice(0)) resolve({ error: this.#exit });
  }

  async #ask(request: Request): Promise<unknown> {
    const reply = await new Promise<Reply>((resolve) => {
      if (this.#exit !== undefined) return resolve({ error: this.#exit });
      const timer = setTimeout(() => {
        this.#ended(`no answer to "${request.kind}" within ${this.#limit / 1000} s`);
        this.#child.kill('SIGKILL');
      }, this.#limit);
      this.#waiting.push({
        resolve: (answer) => {
          clearTimeout(timer);
          resolve(answer);
        },
      });
      this.#child.send(request);
    });
    if (reply.error === undefined) return reply.value;
    if (this.#exit !== undefined) {
      throw new ResourceError({ expected: 'llama.cpp to run', found: reply.error, where: this.path, remedy: 'If the memory ran out, close other programs; else please report it with the model and the type.' });
    }
    throw new InputError({ expected: 'a file that llama.cpp reads', found: reply.error, where: this.path, remedy: 'Please report it with the model and the type: an export must never come to this.' });
  }
}
