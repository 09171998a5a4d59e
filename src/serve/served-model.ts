/** What the server knows of a model or an adapter without its weights: tokenizer, template, identity. Prompts become ids here. */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import type { RunManifest } from '../artefacts/run.ts';
import { InputError } from '../errors.ts';
import { openModel, type OpenOptions, type OpenedModel } from '../inference/open-model.ts';
import { licenceVerdict } from '../licence/verdict.ts';
import { chatTemplate } from '../tokenizer/chat.ts';
import { DOLLY_JINJA } from '../tokenizer/dolly.ts';
import { encodeConversation, encodePrompt } from '../tokenizer/example.ts';
import type { ChatMessage } from '../tokenizer/jinja.ts';
import type { PromptTemplate } from '../tokenizer/template.ts';
import { tokenBytes, type TokenBytes } from '../tokenizer/token-bytes.ts';
import { runOf, type FoundAdapter } from './adapters.ts';
import type { EngineName } from './model-process.ts';

export class ServedModel {
  readonly id: string;
  /** Empty: the model itself. */
  readonly adapter: string;
  readonly opened: OpenedModel;
  readonly tokens: TokenBytes;
  /** Ids that end every answer. */
  readonly stopIds: readonly number[];
  /** Dolly's own way: the text between response key and end key, without white space around it. */
  readonly trims: boolean;
  /** Tells one state of model, template and engine from another. */
  readonly fingerprint: string;
  readonly created: number;
  readonly #engine: EngineName;
  readonly #conversations: PromptTemplate | undefined;
  #longest: number | undefined;

  private constructor(id: string, adapter: string, opened: OpenedModel, engine: EngineName) {
    const { tokenizer, template, text, path } = opened;
    this.id = id;
    this.adapter = adapter;
    this.opened = opened;
    this.#engine = engine;
    this.tokens = tokenBytes(tokenizer);
    this.stopIds = [template.stopToken, text.eosToken].flatMap((token) => (token === undefined ? [] : (tokenizer.specialId(token) ?? [])));
    const isDolly = template.name === 'dolly' || text.chatTemplate === DOLLY_JINJA;
    this.trims = isDolly;
    // Its own template knows single questions; the same in Jinja knows conversations.
    this.#conversations = template.conversation ? template : isDolly ? chatTemplate(DOLLY_JINJA, { specialTokens: tokenizer.specialTokens, where: 'Dolly\'s template' }) : undefined;
    const { mtimeMs, size } = statSync(path);
    this.created = Math.floor(mtimeMs / 1000);
    this.fingerprint = `fp_${createHash('sha256').update(JSON.stringify([path, mtimeMs, size, tokenizer.hash, template.hash, opened.run?.rows ?? null, engine])).digest('hex').slice(0, 12)}`;
  }

  static async open(path: string, id: string, adapter: string, engine: EngineName, options: OpenOptions): Promise<ServedModel> {
    const opened = await openModel(path, { ...options, asItIs: true });
    return new ServedModel(id, adapter, opened, engine);
  }

  /** As the list of models shows it: OpenAI's fields, and whose terms it stands under. */
  describe(contextLength: number): Record<string, unknown> {
    const { run, licence, template } = this.opened;
    return { id: this.id, object: 'model', created: this.created, owned_by: 'roslin', context_length: contextLength, engine: this.#engine, template: template.name, licence, ...verdictOf(run, licence) };
  }

  /** The same of an adapter, without opening it. */
  describeAdapter(adapter: FoundAdapter, contextLength: number): Record<string, unknown> {
    const run = runOf(adapter);
    const template = run?.template.name ?? this.opened.template.name;
    return { id: `${this.id}:${adapter.name}`, object: 'model', created: adapter.created, owned_by: 'roslin', parent: this.id, context_length: contextLength, engine: this.#engine, template, ...verdictOf(run, null) };
  }

  /** UTF-16 units that so many tokens can stand for at most. */
  mostUnits(tokens: number): number {
    this.#longest ??= Math.max(...this.tokens.bytes.map(({ length }) => length));
    return tokens * this.#longest;
  }

  chatIds(messages: readonly ChatMessage[]): Int32Array {
    const { tokenizer, template } = this.opened;
    const [first] = messages;
    if (messages.length === 1 && first!.role === 'user') return encodePrompt({ instruction: first!.content, context: '' }, tokenizer, template);
    if (messages.at(-1)!.role !== 'user') throw new InputError({ expected: 'a message of the user at the end', found: `one of the ${messages.at(-1)!.role}`, where: 'messages' });
    const conversations = this.#conversations;
    if (!conversations) throw new InputError({ expected: 'one message of the user', found: `${messages.length} messages`, where: 'messages', remedy: 'This model\'s template knows single questions only.' });
    const ids = encodeConversation(messages, tokenizer, conversations);
    const { addBos, bosToken } = this.opened.text;
    const bos = addBos && bosToken !== undefined && conversations !== template ? tokenizer.specialId(bosToken) : undefined;
    return bos === undefined || ids[0] === bos ? ids : Int32Array.of(bos, ...ids);
  }

  questionIds(instruction: string, context: string): Int32Array {
    return encodePrompt({ instruction, context }, this.opened.tokenizer, this.opened.template);
  }

  /** A text to go on with: no template, and nothing in it can become a special token. Ids are taken as they are. */
  textIds(prompt: string | readonly number[]): Int32Array {
    const { tokenizer, text } = this.opened;
    if (typeof prompt !== 'string') {
      const outside = prompt.find((id) => id >= tokenizer.size);
      if (outside !== undefined) throw new InputError({ expected: `ids below ${tokenizer.size}`, found: String(outside), where: 'prompt' });
      return Int32Array.from(prompt);
    }
    const bos = text.addBos && text.bosToken !== undefined ? tokenizer.specialId(text.bosToken) : undefined;
    const ids = [...(bos === undefined ? [] : [bos]), ...tokenizer.encodeText(prompt)];
    // Something must come before the first token that is drawn.
    const ends = this.stopIds.at(-1);
    return Int32Array.from(ids.length > 0 || ends === undefined ? ids : [ends]);
  }

  /** A token as OpenAI writes it: its text, or its bytes where they are no whole characters. */
  tokenText(id: number): { token: string; bytes: number[] } {
    const bytes = [...(this.tokens.bytes[id] ?? [])];
    if (bytes.length === 0) {
      const special = this.opened.tokenizer.specialTokens.find((content) => this.opened.tokenizer.specialId(content) === id);
      return { token: special ?? '', bytes: [...Buffer.from(special ?? '')] };
    }
    try {
      return { token: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes)), bytes };
    } catch {
      return { token: `bytes:${bytes.map((b) => `\\x${b.toString(16).padStart(2, '0')}`).join('')}`, bytes };
    }
  }
}

function verdictOf(run: RunManifest | undefined, licence: string | null): Record<string, unknown> {
  const { verdict, reasons } = run ? { verdict: run.verdict, reasons: run.verdict_reasons ?? [] } : licenceVerdict([{ part: 'model', licence }]);
  return { licence_verdict: verdict, licence_reasons: reasons };
}

/** What a model is called without being told: its file or folder. */
export const nameOf = (path: string): string => basename(path).replace(/\.gguf$/, '');
