/**
 * A byte-level BPE tokenizer from text (Sennrich et al. 2016 over GPT-2's bytes): the pair of neighbours that occurs most
 * often becomes a token, again and again. Gives the merges of the `tokenizers` library's BpeTrainer on the same text: ties go to the
 * pair of lower ids, and the base alphabet is ordered by its characters.
 */
import { UsageError } from '../errors.ts';
import { BYTE_CHARACTERS } from './bytes.ts';

export interface BpeOptions {
  /** Special tokens, the 256 bytes and the merges together. */
  readonly vocabSize: number;
  /** Get the first ids, in this order. */
  readonly specialTokens: readonly string[];
  /** A pair must occur this often to become a token. Default 2. */
  readonly minFrequency?: number;
}

/**
 * GPT-2's words: contractions, letters, digits, other signs, each with the space before it; and runs of white space. White
 * space is Unicode's, as in the library: JavaScript's `\s` has U+FEFF and lacks U+0085. Letters of a Unicode newer than the
 * library's are signs to it and letters here; texts that have them may give other merges.
 */
const WORDS = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

interface Word {
  /** Ids of its tokens so far. */
  ids: number[];
  readonly count: number;
}

/** Two neighbours. */
interface Pair {
  readonly left: number;
  readonly right: number;
  /** How often they stand together. Not lowered when they become a token, as in the library. */
  count: number;
}

/** A pair in the queue, for the words in which it came up. */
interface Candidate {
  readonly pair: Pair;
  /** The pair's when it was put there. */
  readonly count: number;
  readonly words: ReadonlySet<number>;
}

/** A tokenizer.json of the texts. @throws UsageError where `vocabSize` has no room for the bytes */
export function trainBpe(texts: Iterable<string>, { vocabSize, specialTokens, minFrequency = 2 }: BpeOptions): string {
  const alphabet = [...BYTE_CHARACTERS].sort();
  const tokens = [...specialTokens, ...alphabet];
  if (vocabSize < tokens.length) {
    throw new UsageError({ expected: `a vocabulary of at least ${tokens.length}: every byte and the special tokens`, found: String(vocabSize), where: '--vocab-size' });
  }
  const idOf = new Map(tokens.map((token, id) => [token, id]));
  const byteIds = BYTE_CHARACTERS.map((character) => idOf.get(character)!);
  const words = countWords(texts, byteIds);
  // A pair may come up twice, where one text is reached by two ways of merging; its last place counts.
  const merges = new Map<string, [string, string]>();
  const queue = new PairQueue(words);
  while (tokens.length < vocabSize) {
    const best = queue.best();
    if (!best || best.count < minFrequency) break;
    const pair: [string, string] = [tokens[best.pair.left]!, tokens[best.pair.right]!];
    const token = pair.join('');
    const id = idOf.get(token) ?? tokens.length;
    if (id === tokens.length) {
      tokens.push(token);
      idOf.set(token, id);
    }
    const key = pair.join(' ');
    merges.delete(key);
    merges.set(key, pair);
    queue.merge(best, id);
  }
  return tokenizerJson(tokens, [...merges.values()], specialTokens);
}

/** Different words with how often they occur, as ids of bytes. */
function countWords(texts: Iterable<string>, byteIds: readonly number[]): Word[] {
  const counts = new Map<string, number>();
  for (const text of texts) for (const [word] of text.matchAll(WORDS)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, count]) => ({ ids: [...Buffer.from(word, 'utf8')].map((byte) => byteIds[byte]!), count }));
}

/** Pairs by how often they occur: a binary heap whose entries may be out of date, and are then put back. */
class PairQueue {
  readonly #words: readonly Word[];
  readonly #pairs = new Map<number, Pair>();
  readonly #heap: Candidate[] = [];

  constructor(words: readonly Word[]) {
    this.#words = words;
    const born = new Map<Pair, Set<number>>();
    words.forEach(({ ids, count }, word) => {
      for (let i = 0; i + 1 < ids.length; i++) this.#count(ids[i]!, ids[i + 1]!, count, word, born);
    });
    this.#queue(born);
  }

  best(): Candidate | undefined {
    for (;;) {
      const top = this.#pop();
      if (!top || top.count === top.pair.count) return top;
      if (top.pair.count > 0) this.#push({ ...top, count: top.pair.count });
    }
  }

  /** Makes `id` of the pair in its words, and counts the new neighbours. */
  merge({ pair, words }: Candidate, id: number): void {
    const born = new Map<Pair, Set<number>>();
    for (const index of words) {
      const word = this.#words[index]!;
      const { ids, count } = word;
      const merged: number[] = [];
      for (let i = 0; i < ids.length; i++) {
        if (ids[i] !== pair.left || ids[i + 1] !== pair.right) {
          merged.push(ids[i]!);
          continue;
        }
        const before = merged.at(-1);
        const after = ids[i + 2];
        if (before !== undefined) {
          this.#count(before, pair.left, -count, index, born);
          this.#count(before, id, count, index, born);
        }
        if (after !== undefined) {
          this.#count(pair.right, after, -count, index, born);
          this.#count(id, after, count, index, born);
        }
        merged.push(id);
        i++;
      }
      word.ids = merged;
    }
    this.#queue(born);
  }

  #count(left: number, right: number, by: number, word: number, born: Map<Pair, Set<number>>): void {
    const key = left * 2 ** 26 + right;
    let pair = this.#pairs.get(key);
    if (!pair) this.#pairs.set(key, (pair = { left, right, count: 0 }));
    pair.count += by;
    if (by < 0) return;
    const words = born.get(pair);
    if (words) words.add(word);
    else born.set(pair, new Set([word]));
  }

  #queue(born: ReadonlyMap<Pair, ReadonlySet<number>>): void {
    for (const [pair, words] of born) if (pair.count > 0) this.#push({ pair, count: pair.count, words });
  }

  /** Whether `a` comes before `b`: the more frequent, then the lower ids. */
  static #before(a: Candidate, b: Candidate): boolean {
    if (a.count !== b.count) return a.count > b.count;
    return a.pair.left !== b.pair.left ? a.pair.left < b.pair.left : a.pair.right < b.pair.right;
  }

  #push(entry: Candidate): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!PairQueue.#before(entry, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): Candidate | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (heap.length === 0 || !last) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && PairQueue.#before(heap[child + 1]!, heap[child]!)) child++;
      if (!PairQueue.#before(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

function tokenizerJson(tokens: readonly string[], merges: readonly [string, string][], specialTokens: readonly string[]): string {
  const byteLevel = { add_prefix_space: false, trim_offsets: true, use_regex: true };
  return JSON.stringify({
    version: '1.0', truncation: null, padding: null,
    added_tokens: specialTokens.map((content, id) => ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true })),
    normalizer: null, pre_tokenizer: { type: 'ByteLevel', ...byteLevel }, post_processor: null, decoder: { type: 'ByteLevel', ...byteLevel },
    model: {
      type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null, fuse_unk: false, byte_fallback: false, ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges,
    },
  });
}
