/**
 * Which files of a repository a base model or a dataset needs. Pure: a list of names in, names out, or an error that says what
 * is there instead. Only formats that the rest of the project reads are chosen, and never two that mean the same weights.
 */
import { InputError } from '../errors.ts';
import { plainText, type HubKind } from './names.ts';

export type HubFormat = 'safetensors' | 'pytorch' | 'gguf' | 'jsonl';

export interface Selection {
  readonly format: HubFormat;
  readonly files: readonly string[];
  /** The one file to open, for gguf and jsonl; undefined where the whole folder is the model. */
  readonly entry: string | undefined;
  /** Worth telling about the choice. */
  readonly note?: string;
}

const MODEL_REQUIRED = ['config.json', 'tokenizer.json'];
const MODEL_OPTIONAL = ['generation_config.json', 'tokenizer_config.json', 'special_tokens_map.json', 'chat_template.jinja'];
/** Kept beside the data, so that origin and terms stay known without a network. */
const CARD = /^(?:README\.md|LICEN[CS]E(?:\.(?:md|txt))?|USE_POLICY\.md)$/i;
interface WeightNames {
  readonly format: 'safetensors' | 'pytorch';
  readonly single: string;
  readonly index: string;
  readonly shard: RegExp;
}
/** In the order of preference. */
const WEIGHTS: readonly WeightNames[] = [
  { format: 'safetensors', single: 'model.safetensors', index: 'model.safetensors.index.json', shard: /^model-\d{5}-of-\d{5}\.safetensors$/ },
  { format: 'pytorch', single: 'pytorch_model.bin', index: 'pytorch_model.bin.index.json', shard: /^pytorch_model-\d{5}-of-\d{5}\.bin$/ },
];
/** Indices of shards, of either format. */
export const isWeightsIndex = (path: string): boolean => WEIGHTS.some(({ index }) => path === index);
const SPLIT_GGUF = /-\d{5}-of-\d{5}\.gguf$/i;
const SHOWN = 30;

/** `paths`: every file of the repository; `file`: the one asked for by `owner/name:file`. Throws InputError. */
export function selectFiles(kind: HubKind, id: string, paths: readonly string[], file?: string): Selection {
  const card = paths.filter((path) => CARD.test(path));
  if (file !== undefined) return selectOne(kind, id, paths, file, card);
  return kind === 'dataset' ? selectDataset(id, paths, card) : selectModel(id, paths, card);
}

function selectOne(kind: HubKind, id: string, paths: readonly string[], file: string, card: readonly string[]): Selection {
  const wanted = kind === 'dataset' ? '.jsonl' : '.gguf';
  const where = `${kind} ${id}`;
  const candidates = paths.filter((path) => path.toLowerCase().endsWith(wanted));
  if (!file.toLowerCase().endsWith(wanted)) {
    throw new InputError({ expected: `a ${wanted} file after the ":"`, found: plainText(file, 200), where, remedy: choices(id, candidates) });
  }
  if (!paths.includes(file)) {
    throw new InputError({ expected: `the file ${plainText(file, 200)}`, found: 'no such file there', where, remedy: choices(id, candidates) });
  }
  if (SPLIT_GGUF.test(file)) {
    throw new InputError({ expected: 'a GGUF in one file', found: `one part of a split GGUF, ${plainText(file, 200)}`, where, remedy: 'Split GGUFs are not read yet: choose a smaller quantisation in one file.' });
  }
  return { format: kind === 'dataset' ? 'jsonl' : 'gguf', files: [...card, file], entry: file };
}

function selectDataset(id: string, paths: readonly string[], card: readonly string[]): Selection {
  const atRoot = paths.filter((path) => !path.includes('/') && path.toLowerCase().endsWith('.jsonl'));
  const [first] = atRoot;
  if (first !== undefined && atRoot.length === 1) return { format: 'jsonl', files: [...card, first], entry: first };
  const where = `dataset ${id}`;
  if (atRoot.length > 1) {
    // Reading them together could put test records among the training ones.
    throw new InputError({ expected: 'one .jsonl file, or the name of one', found: `${atRoot.length} of them`, where, remedy: choices(id, atRoot) });
  }
  const deeper = paths.filter((path) => path.toLowerCase().endsWith('.jsonl'));
  throw new InputError({
    expected: 'a .jsonl file at the top of the repository', found: listing(paths), where,
    remedy: deeper.length > 0 ? choices(id, deeper) : 'Convert its data to JSON lines and give that file instead of a hub id.',
  });
}

function selectModel(id: string, paths: readonly string[], card: readonly string[]): Selection {
  const has = new Set(paths);
  const where = `model ${id}`;
  const found = WEIGHTS.map((names) => ({ format: names.format, files: weightFiles(names, has, paths) })).find(({ files }) => files.length > 0);
  if (!found) throw noWeights(id, where, paths);
  for (const name of MODEL_REQUIRED) {
    if (!has.has(name)) {
      throw new InputError({
        expected: `${name} beside the weights`, found: listing(paths), where,
        remedy: name === 'tokenizer.json' ? 'Older tokenizer files are not read: choose a repository of this model that has tokenizer.json.' : 'Choose a repository of a transformers model.',
      });
    }
  }
  const optional = MODEL_OPTIONAL.filter((name) => has.has(name));
  const files = [...card, ...MODEL_REQUIRED, ...optional, ...found.files];
  if (found.format === 'safetensors') return { format: found.format, files, entry: undefined };
  const note = `${plainText(id, 200)} has no safetensors: its PyTorch weights are taken, and read as data alone (nothing in them is run).`;
  return { format: found.format, files, entry: undefined, note };
}

function weightFiles({ single, index, shard }: WeightNames, has: ReadonlySet<string>, paths: readonly string[]): string[] {
  if (has.has(single)) return [single];
  const shards = paths.filter((path) => shard.test(path));
  return has.has(index) && shards.length > 0 ? [index, ...shards] : [];
}

function noWeights(id: string, where: string, paths: readonly string[]): InputError {
  const expected = 'weights in model.safetensors or pytorch_model.bin (or their shards)';
  const gguf = paths.filter((path) => path.toLowerCase().endsWith('.gguf'));
  if (gguf.length > 0) return new InputError({ expected, found: `${gguf.length} GGUF file${gguf.length > 1 ? 's' : ''}`, where, remedy: choices(id, gguf) });
  if (paths.includes('adapter_model.safetensors')) {
    return new InputError({ expected, found: 'only a LoRA adapter', where, remedy: 'Give the base model named in its adapter_config.json as --base.' });
  }
  return new InputError({ expected, found: listing(paths), where, remedy: 'Choose a repository of this model with model.safetensors or a .gguf file.' });
}

function choices(id: string, files: readonly string[]): string {
  if (files.length === 0) return 'The repository has no such files.';
  const shown = files.slice(0, SHOWN).map((file) => `${id}:${plainText(file, 200)}`).join(', ');
  return `Choose one by writing ${shown}${files.length > SHOWN ? `, or one of ${files.length - SHOWN} more` : ''}.`;
}

function listing(paths: readonly string[]): string {
  if (paths.length === 0) return 'no files at all';
  const shown = paths.slice(0, SHOWN).map((path) => plainText(path, 100)).join(', ');
  return `${shown}${paths.length > SHOWN ? ` and ${paths.length - SHOWN} more` : ''}`;
}
