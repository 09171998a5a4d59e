/**
 * `roslin chat`: a conversation in the terminal, the model opened once. Under a chat template what was said before is part of
 * the next prompt; Dolly's knows single questions only, so there each stands alone. Reading is in chat-input.ts, commands
 * are here, and what a session is in inference/session.ts.
 */
import { existsSync } from 'node:fs';
import { basename, resolve as absolute } from 'node:path';
import { Command } from 'commander';
import { InputError } from '../errors.ts';
import type { Answerer } from '../inference/answer.ts';
import { fitPrompt, messagesOf, newSession, readSession, writeSession, type Session, type Turn } from '../inference/session.ts';
import { identify } from '../inference/source.ts';
import type { PromptFields } from '../tokenizer/template.ts';
import { historyPath, InputHistory } from './chat-history.ts';
import { ChatInput, type Message } from './chat-input.ts';
import { bar, Progress } from './progress.ts';
import { resolve, resolveBase } from './resolve.ts';
import { addSamplingOptions, samplingOf, seedOf, type SamplingFlags } from './sampling-options.ts';
import { note, painter, sanitise } from './terminal.ts';

const HELP = `Enter sends. A line that ends with \\ goes on; """ begins and ends a text of several lines. Ctrl-C stops an answer.
/retry          the last question again           /edit [TEXT]   the last question, to be changed
/system [TEXT]  how to answer; alone: forget it   /context [TEXT]  a text to answer from; alone: forget it
/save FILE      keep this session                 /load FILE     go on with one
/new            begin again                       /help  /exit   this, and leaving (Ctrl-D too)`;

interface Flags extends SamplingFlags {
  readonly history: boolean;
}

export function command(): Command {
  return addSamplingOptions(new Command()).option('--no-history', 'keep nothing of what is typed for the next start').action(async (flags: Flags) => {
    const { path } = await resolve(flags.model, 'model', flags);
    const { Answerer } = await import('../inference/answer.ts');
    using progress = new Progress();
    progress.update(`opening ${sanitise(flags.model)} ${bar(0)}`);
    const answerer = await Answerer.open({ model: path, base: await resolveBase(flags), template: flags.template, threads: flags.threads });
    progress.finish('');
    try {
      await new Chat(answerer, flags, path).run();
    } finally {
      await answerer.release();
    }
  });
}

class Chat {
  readonly #answerer: Answerer;
  readonly #flags: Flags;
  readonly #path: string;
  readonly #paint = painter(process.stderr);
  readonly #input: ChatInput;
  #session: Session = newSession;
  /** What this chat saved to or loaded from, and may write over. */
  #files = new Set<string>();
  /** The next question takes the place of the last. */
  #editing = false;
  #asked = 0;
  #leftOut = 0;

  constructor(answerer: Answerer, flags: Flags, path: string) {
    this.#answerer = answerer;
    this.#flags = flags;
    this.#path = path;
    const history = new InputHistory(flags.history && process.stdin.isTTY ? historyPath() : undefined);
    if (history.problem !== undefined) note(`no history is kept: ${sanitise(history.problem)}`);
    this.#input = new ChatInput({ prompt: this.#paint('bold', '> '), continues: this.#paint('dim', '… '), history });
  }

  get #converses(): boolean {
    return this.#answerer.model.template.conversation !== undefined;
  }

  async run(): Promise<void> {
    const { template } = this.#answerer.model;
    note(`${sanitise(this.#flags.model)}, template ${template.name}: ${this.#converses ? 'a conversation' : 'each question stands alone, for this template knows no conversation'}\n${HELP}`);
    for await (const message of this.#input.messages()) {
      try {
        if ((await this.#take(message)) === 'leave') break;
      } catch (error) {
        // A prompt that is too long, or a file that is no session, is no reason to lose the conversation.
        if (!(error instanceof Error)) throw error;
        note(this.#paint('red', `roslin: ${sanitise(error.message)}`));
      }
    }
    this.#input.close();
  }

  async #take({ text, literal }: Message): Promise<'leave' | void> {
    const [, name, rest = ''] = (literal ? null : /^\/(\w*)(?:\s+(.*))?$/s.exec(text.trim())) ?? [];
    if (name === undefined) return this.#ask({ instruction: text.trim(), context: this.#session.context }, this.#editing ? this.#lastTurn() : undefined);
    this.#editing = false;
    switch (name) {
      case 'exit': case 'quit': return 'leave';
      case 'retry': return this.#retry();
      case 'edit': return this.#edit(rest);
      case 'system': return this.#system(rest);
      case 'context':
        this.#session = { ...this.#session, context: rest };
        return note(rest === '' ? 'forgotten' : 'kept for the questions to come');
      case 'save': return this.#save(rest);
      case 'load': return this.#load(rest);
      case 'new':
        this.#session = { ...newSession, system: this.#session.system };
        this.#leftOut = 0;
        return note('a new conversation');
      case 'help': return note(HELP);
      default: return note(`no command /${sanitise(name)}\n${HELP}`);
    }
  }

  #lastTurn(): Turn {
    const turn = this.#session.turns.at(-1);
    if (!turn) throw new InputError({ expected: 'a question before', found: 'none' });
    return turn;
  }

  async #retry(): Promise<void> {
    const last = this.#lastTurn();
    // Where questions stand alone, it is the question that is asked again, with the context as it is now.
    await this.#ask({ instruction: last.instruction, context: this.#converses ? last.context : this.#session.context }, last);
  }

  async #edit(text: string): Promise<void> {
    const last = this.#lastTurn();
    if (text !== '') return this.#ask({ instruction: text, context: last.context }, last);
    if (!this.#input.terminal) throw new InputError({ expected: '/edit with the new text', found: 'none, and no terminal to change it in' });
    this.#editing = true;
    this.#input.prefill(last.instruction);
  }

  #system(text: string): void {
    const { template } = this.#answerer.model;
    if (!template.conversation) {
      throw new InputError({ expected: 'a template with a place for a system message', found: `${template.name}, which has none: no record it is made for has one`, remedy: 'Say it in the question, or use /context.' });
    }
    // What the template cannot write is refused now, not at the next question.
    if (text !== '') template.conversation(messagesOf({ system: text, turns: [] }, { instruction: 'x', context: '' }));
    this.#session = { ...this.#session, system: text };
    note(text === '' ? 'forgotten' : 'kept for the answers to come');
  }

  async #save(file: string): Promise<void> {
    const path = this.#named(file);
    if (existsSync(path) && !this.#files.has(path)) throw new InputError({ expected: 'a new file', found: 'one that is there already', where: file, remedy: 'Choose another name.' });
    const { template, path: opened } = this.#answerer.model;
    const { hash } = await identify(opened);
    writeSession(path, { ...this.#session, model: { name: basename(absolute(this.#path)), hash }, template: { name: template.name, hash: template.hash } });
    this.#files.add(path);
    note(`kept in ${sanitise(file)}: ${turns(this.#session.turns.length)}`);
  }

  async #load(file: string): Promise<void> {
    const path = this.#named(file);
    const { model, template, ...session } = readSession(path);
    const own = this.#answerer.model;
    if (session.system !== '') {
      if (!own.template.conversation) throw new InputError({ expected: 'a session without a system message', found: `one with it, which the template ${own.template.name} has no place for`, where: file });
      own.template.conversation(messagesOf({ system: session.system, turns: [] }, { instruction: 'x', context: '' }));
    }
    const { hash } = await identify(own.path);
    this.#session = { system: session.system, context: session.context, turns: session.turns };
    this.#files.add(path);
    this.#leftOut = 0;
    note(`${turns(session.turns.length)} from ${sanitise(file)}`);
    if (hash !== model.hash) note(`It was held with another model, ${sanitise(model.name)}.`);
    if (own.template.hash !== template.hash) note(`It was held with ${template.name === own.template.name ? 'another form of the template' : 'the template'} ${sanitise(template.name)}.`);
    for (const { instruction, answer } of session.turns) process.stderr.write(`${this.#paint('dim', `> ${sanitise(instruction)}`)}\n${sanitise(answer)}\n`);
  }

  #named(file: string): string {
    if (file === '') throw new InputError({ expected: 'a file after the command', found: 'none' });
    return absolute(file);
  }

  /** Asks, and keeps the turn; `replaced`: the last turn, whose place it takes. */
  async #ask(question: PromptFields, replaced?: Turn): Promise<void> {
    this.#editing = false;
    const before = { ...this.#session, turns: replaced ? this.#session.turns.slice(0, -1) : this.#session.turns };
    // The same seed gives the same conversation, and each question draws anew.
    const seed = seedOf(this.#flags) + this.#asked++;
    const stopping = new AbortController();
    const asking = { maxNewTokens: this.#flags.maxNewTokens, sampling: samplingOf(this.#flags), seed, signal: stopping.signal };
    await this.#input.during(() => stopping.abort(), async () => {
      const pieces = this.#converses ? this.#answerer.answer(this.#fit(before, question), asking) : this.#answerer.ask({ ...question, ...asking });
      let next = await pieces.next();
      for (; !next.done; next = await pieces.next()) process.stdout.write(sanitise(next.value));
      process.stdout.write('\n');
      const { answer, tokens, tokens_per_second: rate, stopped } = next.value;
      const end = stopping.signal.aborted ? '; stopped' : stopped ? '' : '; cut at its greatest length';
      note(this.#paint('dim', `${tokens} tokens, ${rate.toFixed(1)} a second${end}`));
      this.#session = { ...this.#session, turns: [...before.turns, { ...question, answer, stopped }] };
    });
  }

  /** The prompt, with as much of the conversation as leaves room for an answer. */
  #fit(session: Session, question: PromptFields): Int32Array {
    const context = this.#answerer.model.architecture.contextLength;
    const room = context - Math.min(this.#flags.maxNewTokens, Math.floor(context / 2));
    const { ids, leftOut } = fitPrompt(session, question, room, (messages) => this.#answerer.encode(messages));
    if (leftOut > this.#leftOut) note(this.#paint('dim', `the context of ${context} tokens is full: ${turns(leftOut)} at the beginning left out of the prompt`));
    this.#leftOut = leftOut;
    return ids;
  }
}

const turns = (n: number): string => (n === 1 ? '1 turn' : `${n} turns`);
