/**
 * How far spelling alone goes: a softmax classifier on the letters of a word (runs of one to five, its ends marked), trained on
 * the words of the instruction records. It knows no meaning, so what a model is worth begins above it.
 */
import type { Random } from '../../src/artefacts/random.ts';

const BUCKETS = 1 << 16;
const LONGEST = 5;
const EPOCHS = 30;
const RATE = 0.5;
const DECAY = 1e-5;

/** Numbers of a word's runs of letters (FNV-1a of each). */
function features(word: string): Int32Array {
  const text = `^${word.toLowerCase()}$`;
  const found = new Set<number>();
  for (let n = 1; n <= LONGEST; n++) {
    for (let i = 0; i + n <= text.length; i++) {
      let hash = 0x811c9dc5;
      for (let j = i; j < i + n; j++) hash = Math.imul(hash ^ text.charCodeAt(j), 0x01000193);
      found.add((hash >>> 0) % BUCKETS);
    }
  }
  return Int32Array.from(found);
}

export interface Labelled {
  readonly word: string;
  readonly topic: string;
}

/** Gives the log-probability of a topic for a word. */
export function trainSpelling(words: readonly Labelled[], random: Random): (word: string, topic: string) => number {
  const topics = [...new Set(words.map((w) => w.topic))].sort();
  const K = topics.length;
  const weights = new Float32Array(BUCKETS * K);
  const examples = words.map(({ word, topic }) => ({ x: features(word), y: topics.indexOf(topic) }));
  const probabilities = (x: Int32Array): Float64Array => {
    const scores = new Float64Array(K);
    for (const f of x) for (let k = 0; k < K; k++) scores[k]! += weights[f * K + k]!;
    // Longer words have more runs: their mean, scaled, keeps the steps alike.
    const scale = 1 / Math.sqrt(x.length);
    const most = Math.max(...scores) * scale;
    let sum = 0;
    for (let k = 0; k < K; k++) sum += scores[k] = Math.exp(scores[k]! * scale - most);
    return scores.map((s) => s / sum);
  };
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    for (const i of random.permutation(examples.length)) {
      const { x, y } = examples[i]!;
      const p = probabilities(x);
      const step = RATE / Math.sqrt(1 + epoch) / Math.sqrt(x.length);
      for (let k = 0; k < K; k++) {
        const slope = step * ((k === y ? 1 : 0) - p[k]!);
        for (const f of x) weights[f * K + k]! += slope - DECAY * weights[f * K + k]!;
      }
    }
  }
  return (word, topic) => Math.log(probabilities(features(word))[topics.indexOf(topic)] ?? 0);
}
