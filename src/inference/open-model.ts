/**
 * Opens whatever may stand for a model: a folder in Hugging Face layout, a GGUF file, or a LoRA run folder with its base.
 * Reads configuration and tokenizer at once, weights only when they are asked for.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { RunManifest, SourceFile } from '../artefacts/run.ts';
import { InputError } from '../errors.ts';
import { openAdapterWeights, openWeightsFolder } from '../formats/folder.ts';
import { openGguf } from '../formats/gguf.ts';
import { loraBlock, loraFromConfig, peftName, type LoraSpec } from '../models/adapter.ts';
import { parametersOf, type Architecture } from '../models/architecture.ts';
import type { Json } from '../models/config.ts';
import { modelFromGguf } from '../models/from-gguf.ts';
import { architectureOf } from '../models/registry.ts';
import { parameterReader, readWeights, sourceOf, type ParameterReader, type Weights, type WeightSource } from '../models/weights.ts';
import { chatTemplate } from '../tokenizer/chat.ts';
import { dollyTemplate } from '../tokenizer/dolly.ts';
import { tokenizerJsonFromGguf } from '../tokenizer/from-gguf.ts';
import { withBosToken, type PromptTemplate } from '../tokenizer/template.ts';
import { plainTemplate } from '../tokenizer/text.ts';
import { loadTokenizer, type Tokenizer } from '../tokenizer/tokenizer.ts';
import { identify } from './source.ts';

export type TemplateName = 'dolly' | 'chat';

/** How a model's text is framed: what its folder or metadata says beside the tokenizer. */
export interface TextSettings {
  readonly chatTemplate?: string;
  readonly bosToken?: string;
  readonly eosToken?: string;
  readonly addBos: boolean;
}

export interface OpenedModel {
  readonly path: string;
  /** `fresh`: of random weights, nowhere on disk yet. */
  readonly kind: 'folder' | 'gguf' | 'adapter' | 'fresh';
  /** config.json, with the vocabulary that the weights will have. */
  readonly config: Json;
  readonly architecture: Architecture;
  readonly tokenizer: Tokenizer;
  readonly text: TextSettings;
  /** Template that the model was trained with, or else the one its base calls for. */
  readonly template: PromptTemplate;
  readonly lora: LoraSpec | undefined;
  readonly run: RunManifest | undefined;
  readonly licence: string | null;
  /** Where the base of an adapter is. */
  readonly base?: string;
  /** Reads the weights, LoRA's included. */
  weights(): Weights;
  /** The same one at a time. */
  openWeights(): ParameterReader;
}

interface Files {
  readonly kind: 'folder' | 'gguf';
  readonly config: Json;
  readonly tokenizerJson: string;
  readonly text: TextSettings;
  readonly licence: string | null;
  /** The weights' file, to be closed. */
  openSource(): { readonly source: WeightSource; close(): void };
}

/** All of `files` for `a`. */
function weightsOf(a: Architecture, files: Files): Weights {
  const opened = files.openSource();
  try {
    return readWeights(a, opened.source);
  } finally {
    opened.close();
  }
}

function openWeightsOf(a: Architecture, files: Files): ParameterReader {
  const opened = files.openSource();
  try {
    return { read: parameterReader(a, opened.source), close: () => opened.close() };
  } catch (error) {
    opened.close();
    throw error;
  }
}

function readJson(path: string): Json {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new InputError({ expected: 'a readable file', found: (cause as NodeJS.ErrnoException).code ?? 'an error', where: path, remedy: 'A model folder needs config.json, tokenizer.json and its weights.' }, { cause });
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  } catch (cause) {
    throw new InputError({ expected: 'JSON', found: (cause as Error).message, where: path, remedy: 'Fetch the file again.' }, { cause });
  }
  throw new InputError({ expected: 'a JSON object', found: 'another value', where: path, remedy: 'Fetch the file again.' });
}

/** A special token in tokenizer_config.json is a string or an object with its content. */
const content = (value: unknown): string | undefined => {
  const text = typeof value === 'object' && value !== null ? (value as Json)['content'] : value;
  return typeof text === 'string' ? text : undefined;
};

function textOfFolder(path: string): TextSettings {
  const settings = existsSync(join(path, 'tokenizer_config.json')) ? readJson(join(path, 'tokenizer_config.json')) : {};
  const jinja = join(path, 'chat_template.jinja');
  const chat = existsSync(jinja) ? readFileSync(jinja, 'utf8') : settings['chat_template'];
  const [bosToken, eosToken] = [content(settings['bos_token']), content(settings['eos_token'])];
  return {
    ...(typeof chat === 'string' ? { chatTemplate: chat } : {}), ...(bosToken === undefined ? {} : { bosToken }), ...(eosToken === undefined ? {} : { eosToken }),
    addBos: settings['add_bos_token'] === true,
  };
}

function filesOfFolder(path: string): Files {
  const config = readJson(join(path, 'config.json'));
  const tokenizerPath = join(path, 'tokenizer.json');
  if (!existsSync(tokenizerPath)) throw new InputError({ expected: 'tokenizer.json', found: 'none', where: path, remedy: 'Save the model with its fast tokenizer; other tokenizer files are not read.' });
  return {
    kind: 'folder', config, tokenizerJson: readFileSync(tokenizerPath, 'utf8'), licence: null, text: textOfFolder(path),
    openSource: () => {
      const reader = openWeightsFolder(path);
      return { source: sourceOf(reader), close: () => reader.close() };
    },
  };
}

function filesOfGguf(path: string): Files {
  const open = () => {
    const reader = openGguf(path);
    try {
      return { reader, model: modelFromGguf(reader, (config) => parametersOf(architectureOf(config, path)).keys()) };
    } catch (error) {
      reader.close();
      throw error;
    }
  };
  const { reader, model } = open();
  reader.close();
  const tokenizer = tokenizerJsonFromGguf(reader.metadata, path);
  const licence = reader.metadata.get('general.license');
  return {
    kind: 'gguf', config: model.config, tokenizerJson: tokenizer.json, licence: typeof licence === 'string' ? licence : null,
    text: {
      ...(tokenizer.chatTemplate === undefined ? {} : { chatTemplate: tokenizer.chatTemplate }), ...(tokenizer.bosToken === undefined ? {} : { bosToken: tokenizer.bosToken }),
      ...(tokenizer.eosToken === undefined ? {} : { eosToken: tokenizer.eosToken }), addBos: tokenizer.addBos,
    },
    openSource: () => {
      const opened = open();
      return { source: opened.model.source, close: () => opened.reader.close() };
    },
  };
}

function statOf(path: string) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw new InputError({ expected: 'a model folder or a .gguf file', found: 'nothing there', where: path, remedy: 'Give a path that exists, or a hub id such as EleutherAI/pythia-70m.' });
  return stat;
}

/** A pre-trained model has seen text alone: it has no template of its own. */
const templateOfRun = (run: RunManifest | undefined): TemplateName | undefined => (run?.template.name === 'text' ? undefined : run?.template.name);

/** A model that a run made stands under the licences of all that it was made of. */
function licenceOfRun(run: RunManifest | undefined): string | null {
  if (!run) return null;
  const parts = [...(run.base ? [run.base.licence] : []), run.data.licence];
  return parts.includes(null) ? null : [...new Set(parts)].join(' AND ');
}

/** The template by name; `chat` needs one that the base carries. */
function templateOf(name: TemplateName, tokenizer: Tokenizer, text: TextSettings, where: string): PromptTemplate {
  if (name === 'chat' && text.chatTemplate === undefined) {
    throw new InputError({ expected: 'a base that carries a chat template', found: 'none', where, remedy: 'Use --template dolly.' });
  }
  const template = name === 'dolly' ? dollyTemplate : chatTemplate(text.chatTemplate!, {
    specialTokens: tokenizer.specialTokens, where: `chat template of ${where}`,
    ...(text.bosToken === undefined ? {} : { bosToken: text.bosToken }), ...(text.eosToken === undefined ? {} : { eosToken: text.eosToken }),
  });
  return text.addBos && text.bosToken !== undefined ? withBosToken(template, text.bosToken) : template;
}

function plainTemplateOf(tokenizer: Tokenizer, text: TextSettings, where: string): PromptTemplate {
  const end = text.eosToken;
  if (end === undefined || tokenizer.specialId(end) === undefined) {
    throw new InputError({ expected: 'an end token, or a template that brings one', found: 'none', where, remedy: 'Use --template dolly.' });
  }
  const template = plainTemplate(end);
  return text.addBos && text.bosToken !== undefined ? withBosToken(template, text.bosToken) : template;
}

export interface OpenOptions {
  readonly template?: TemplateName | undefined;
  /** A model that was taught no template gets none, instead of Dolly's with its tokens. */
  readonly asItIs?: boolean | undefined;
  /** Where the base of a LoRA run is now, if it has moved. */
  readonly base?: string | undefined;
}

/**
 * Opens a model for a template. Tokens that the template needs and the tokenizer lacks are added, and the vocabulary
 * becomes the tokenizer's (docs/numbers.md 1); otherwise the vocabulary stays as published.
 * @throws InputError
 */
export async function openModel(path: string, options: OpenOptions = {}): Promise<OpenedModel> {
  if (statOf(path).isDirectory() && existsSync(join(path, 'adapter_config.json'))) return openAdapter(path, options);
  const files = statOf(path).isDirectory() ? filesOfFolder(path) : filesOfGguf(path);
  const run = files.kind === 'folder' && existsSync(join(path, 'run.json')) ? (readJson(join(path, 'run.json')) as unknown as RunManifest) : undefined;
  const tokenizer = loadTokenizer(files.tokenizerJson, path);
  const stated = options.template ?? templateOfRun(run);
  const plain = options.asItIs && stated === undefined && files.text.chatTemplate === undefined && dollyTemplate.addedTokens.some((t) => tokenizer.specialId(t) === undefined);
  const template = plain ? plainTemplateOf(tokenizer, files.text, path) : templateOf(stated ?? (files.text.chatTemplate === undefined ? 'dolly' : 'chat'), tokenizer, files.text, path);
  return assemble(path, files, tokenizer, template, run);
}

function assemble(path: string, files: Files, base: Tokenizer, template: PromptTemplate, run: RunManifest | undefined): OpenedModel {
  const published = files.config['vocab_size'] as number;
  if (typeof published === 'number') requireRoom(base, published, path);
  const adds = template.addedTokens.some((t) => base.specialId(t) === undefined);
  const tokenizer = adds ? base.withSpecialTokens(template.addedTokens) : base;
  const config = adds ? { ...files.config, vocab_size: tokenizer.size } : files.config;
  const architecture = architectureOf(config, join(path, files.kind === 'folder' ? 'config.json' : ''));
  return {
    path, kind: files.kind, config, architecture, tokenizer, text: files.text, template, lora: undefined, run, licence: files.licence ?? licenceOfRun(run),
    weights: () => weightsOf(architecture, files),
    openWeights: () => openWeightsOf(architecture, files),
  };
}

/** An id beyond the embedding's rows would read other memory, or none. */
function requireRoom(tokenizer: Tokenizer, rows: number, where: string): void {
  if (tokenizer.size > rows) throw new InputError({ expected: `a tokenizer of at most ${rows} ids, as the embedding has rows`, found: `${tokenizer.size}`, where, remedy: 'Use the tokenizer that belongs to this model.' });
}

/** The recorded place, then the same name beside the run, in the working folder and in its `.roslin/models`. */
async function findBase(path: string, base: SourceFile, given: string | undefined): Promise<string> {
  const name = basename(base.path);
  const places = given === undefined ? [base.path, join(dirname(path), name), name, join('.roslin', 'models', name)] : [given];
  for (const place of places.map((p) => resolve(p))) {
    if (existsSync(place) && (await identify(place)).hash === base.hash) return place;
  }
  throw new InputError({
    expected: `the base that this adapter was trained on, ${name} (sha256 ${base.hash.slice(0, 12)}…)`,
    found: given === undefined ? `no file with this content at ${places.join(', ')}` : 'another content', where: path, remedy: 'Give its place with --base PATH.',
  });
}

/** An adapter made elsewhere says where its base was, not what was in it. */
function statedBase(path: string, settings: Json, given: string | undefined): string {
  const stated = settings['base_model_name_or_path'];
  const place = given ?? (typeof stated === 'string' && existsSync(stated) ? stated : undefined);
  if (place === undefined) throw new InputError({ expected: 'the base of an adapter that was made elsewhere', found: `nothing at ${JSON.stringify(stated) ?? 'no stated place'}`, where: path, remedy: 'Name it with --base: a path or a hub id.' });
  return place;
}

async function openAdapter(path: string, options: OpenOptions): Promise<OpenedModel> {
  const settings = readJson(join(path, 'adapter_config.json'));
  const has = (name: string) => existsSync(join(path, name));
  const run = has('run.json') ? (readJson(join(path, 'run.json')) as unknown as RunManifest) : undefined;
  const basePath = run?.base ? await findBase(path, run.base, options.base) : statedBase(path, settings, options.base);
  const files = statOf(basePath).isDirectory() ? filesOfFolder(basePath) : filesOfGguf(basePath);
  // One made elsewhere may leave to its base whatever it did not change.
  const tokenizer = loadTokenizer(has('tokenizer.json') ? readFileSync(join(path, 'tokenizer.json'), 'utf8') : files.tokenizerJson, path);
  const config = has('config.json') ? readJson(join(path, 'config.json')) : files.config;
  const architecture = architectureOf(config, join(path, 'config.json'));
  requireRoom(tokenizer, architecture.vocabSize, path);
  const lora = loraFromConfig(architecture, settings, join(path, 'adapter_config.json'));
  const text = !run && has('tokenizer_config.json') ? textOfFolder(path) : files.text;
  const template = templateOf(options.template ?? templateOfRun(run) ?? (text.chatTemplate === undefined ? 'dolly' : 'chat'), tokenizer, text, path);
  if (template.addedTokens.some((t) => tokenizer.specialId(t) === undefined)) {
    const trained = run?.template.name ?? 'chat';
    throw new InputError({ expected: `the template that the adapter was trained with, ${trained}`, found: `${template.name}, whose tokens it does not know`, where: path, remedy: `Use --template ${trained}.` });
  }
  return {
    path, kind: 'adapter', config, architecture, tokenizer, text, template, lora, run, licence: files.licence, base: basePath,
    weights: () => {
      const weights = weightsOf(architecture, files);
      const { matrices, rows } = readAdapter(path, architecture, lora, template);
      for (const [name, matrix] of matrices) weights.set(name, matrix);
      for (const [name, trained] of rows) weights.get(name)!.data.set(trained, lora.tokenRows![0] * architecture.hidden);
      return weights;
    },
    openWeights: () => {
      const { matrices, rows } = readAdapter(path, architecture, lora, template);
      const base = openWeightsOf(architecture, files);
      const read = (name: string): Float32Array => {
        const data = matrices.get(name)?.data ?? base.read(name);
        if (rows.has(name)) data.set(rows.get(name)!, lora.tokenRows![0] * architecture.hidden);
        return data;
      };
      return { read, close: () => base.close() };
    },
  };
}

/** LoRA's matrices, which lie beside the base's weights, and trained token rows, which go over its own. */
function readAdapter(path: string, a: Architecture, lora: LoraSpec, template: PromptTemplate): { matrices: Weights; rows: Map<string, Float32Array> } {
  const matrices: Weights = new Map();
  const rows = new Map<string, Float32Array>();
  const reader = openAdapterWeights(path);
  const used = new Set<string>();
  try {
    const read = (name: string, shape: readonly number[]): Float32Array => {
      const found = reader.tensors.get(peftName(name))?.shape;
      if (found?.join() !== shape.join()) {
        throw new InputError({ expected: `${peftName(name)} as [${shape.join(', ')}]`, found: found ? `[${found.join(', ')}]` : 'nothing', where: reader.path, remedy: 'The adapter does not belong to this base, or lacks rows of added tokens without which it would never stop.' });
      }
      used.add(peftName(name));
      const data = new Float32Array(shape.reduce((x, y) => x * y, 1));
      reader.readFloat32(peftName(name), data);
      return data;
    };
    for (let l = 0; l < a.layers; l++) {
      for (const [local, { shape }] of Object.entries(loraBlock(a, lora))) {
        const name = a.names.block(l) + local;
        matrices.set(name, { shape, data: read(name, shape) });
      }
    }
    if (!lora.tokenRows && template.addedTokens.length > 0) read(a.names.embedding, [template.addedTokens.length, a.hidden]);
    const [first, end] = lora.tokenRows ?? [0, 0];
    if (lora.tokenRows) for (const name of new Set([a.names.embedding, a.names.head])) rows.set(name, read(name, [end - first, a.hidden]));
    const other = [...reader.tensors.keys(), ...reader.otherTensors.keys()].find((name) => !used.has(name));
    if (other !== undefined) {
      throw new InputError({ expected: 'only what its adapter_config.json speaks of', found: JSON.stringify(other), where: reader.path, remedy: 'It would be left out without a word: merge the adapter with PEFT first, and give the merged model.' });
    }
    return { matrices, rows };
  } finally {
    reader.close();
  }
}
