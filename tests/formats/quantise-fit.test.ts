/** The fits of K-quants in lanes against their plain form, on values of every kind; a thread that dies; the places of what is read ahead. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../src/artefacts/random.ts';
import { quantiseQ45K, quantiseQ6K } from '../../src/formats/quantise-k.ts';
import { FIT_VALUES } from '../../src/formats/quantise-fit.ts';
import { QuantisePool } from '../../src/formats/quantise-pool.ts';
import { Ring } from '../../src/formats/ring.ts';
import * as plain from './plain-quantise-k.ts';

const random = new Random(34);
const centred = () => random.next() - 0.5;
const KINDS: Readonly<Record<string, () => number>> = {
  'even': centred,
  'of every magnitude': () => centred() * 10 ** (random.next() * 60 - 30),
  'mostly zero': () => (random.next() < 0.9 ? 0 : random.next()),
  'whole numbers': () => Math.round(random.next() * 3),
  'negative': () => -random.next(),
  'all one': () => 1,
  'all minus one': () => -1,
  'all zero': () => 0,
  'around the negligible': () => centred() * 1e-15,
  'subnormal': () => centred() * 1e-38,
  'near the largest': () => centred() * 3e38,
  'with outliers': () => (random.next() < 0.03 ? 1e4 * centred() : random.next()),
};

for (const [name, value] of Object.entries(KINDS)) {
  test(`lanes give the bits of the plain form: ${name}`, () => {
    // More than one call of the kernel, and not a whole number of them.
    const values = Float32Array.from({ length: FIT_VALUES + 768 }, value);
    for (const [bytes, quantise, reference] of [
      [144, (s, o) => quantiseQ45K(s, o, false), (s, o) => plain.quantiseQ45K(s, o, false)],
      [176, (s, o) => quantiseQ45K(s, o, true), (s, o) => plain.quantiseQ45K(s, o, true)],
      [210, quantiseQ6K, plain.quantiseQ6K],
    ] as [number, typeof quantiseQ6K, typeof quantiseQ6K][]) {
      const [found, expected] = [0, 1].map(() => new Uint8Array((values.length / 256) * bytes)) as [Uint8Array, Uint8Array];
      quantise(values, found);
      reference(values, expected);
      assert.deepEqual(found, expected, `blocks of ${bytes} bytes`);
    }
  });
}

test('a thread that ends before it is asked anything is an error, not a wait without end', async () => {
  const pool = new QuantisePool(2, new URL('data:text/javascript,throw new Error("no such thing")'));
  try {
    pool.start();
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.throws(() => pool.away('Q8_0', new Float32Array(2 ** 19), 256, 'here'), /no such thing/);
  } finally {
    await pool.close();
  }
  const early = new QuantisePool(2, new URL('data:text/javascript,process.exit(3)'));
  try {
    await assert.rejects(async () => early.away('Q8_0', new Float32Array(2 ** 19), 256, 'here')!.bytes(), /ended with 3/);
  } finally {
    await early.close();
  }
});

test('a ring never gives a place twice, and gives the whole once it is empty', () => {
  const ring = new Ring(100);
  const taken: [number, number][] = [];
  for (let turn = 0; turn < 5000; turn++) {
    const size = 1 + Math.floor(random.next() ** 3 * 100);
    let from = ring.take(size);
    while (from === undefined) {
      assert.ok(taken.length > 0, 'an empty ring has room');
      taken.shift();
      ring.free();
      from = ring.take(size);
    }
    assert.ok(from >= 0 && from + size <= 100);
    for (const [a, b] of taken) assert.ok(from + size <= a || from >= b, `${from} to ${from + size} lies in ${a} to ${b}`);
    taken.push([from, from + size]);
  }
});
