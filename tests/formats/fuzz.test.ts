/** The fuzz of `npm run proof:fuzz`, a little of it: no reader of weights crashes, hangs or takes memory that a file does not justify. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { attempt, targets, type Target } from '../../bench/fuzz/attempt.ts';
import { randomOf } from '../../bench/fuzz/forge.ts';
import { InputError } from '../../src/errors.ts';

const COUNT = Math.ceil(3000 * Number(process.env['ROSLIN_FUZZ'] ?? 1));

for (const [name, target] of Object.entries(targets)) {
  test(`${name}: ${COUNT} inputs are opened or refused`, () => {
    let opened = 0;
    for (let index = 0; index < COUNT; index++) {
      const outcome = attempt(target, target.make(randomOf(name, 99, index)));
      assert.equal(outcome.fault, undefined, `input ${index}`);
      if (outcome.opened) opened++;
    }
    assert.ok(opened > COUNT / 20 && opened < COUNT / 2, `${opened} opened: both ways were met`);
  });
}

test('an input is the same whatever was made before it, and others are others', () => {
  const make = (index: number) => targets['gguf']!.make(randomOf('gguf', 1, index));
  assert.deepEqual(make(7), make(7));
  assert.equal(new Set(Array.from({ length: 200 }, (_, i) => make(i).toString('latin1'))).size > 190, true);
});

describe('a reader is found out that', () => {
  const kept: unknown[] = [];
  const endless = (depth: number): number => 1 + endless(depth + 1);
  const faults: [string, Target['read'], RegExp][] = [
    ['throws another error', () => [].at(0)!, /threw TypeError/],
    ['recurses without an end', () => [endless(0)].slice(0, 0) as never, /threw RangeError/],
    ['believes a length', () => (kept.push(Buffer.alloc(2 ** 23)), []), /bytes of new memory for a file of 100/],
    ['makes an array of a length', () => (kept.push(Array.from({ length: 2 ** 20 }, () => 0.5)), []), /bytes of new memory/],
    ['reads the file again and again', (file) => { for (let i = 0; i < 100; i++) file.read(0, new Uint8Array(100)); return []; }, /read 10000 bytes/],
    ['refuses without a place', () => { throw new InputError({ expected: 'a', found: 'b' }); }, /refused without a place/],
    ['gives a tensor outside of the file', () => [{ name: 'a', dtype: 'F32', shape: [4], offset: 90, byteLength: 16 }], /tensor a of 16 bytes at 90/],
    ['takes long', () => { for (const start = process.threadCpuUsage().user; process.threadCpuUsage().user - start < 1.2e6; ); return []; }, / s$/],
  ];
  for (const [what, read, message] of faults) {
    test(what, () => assert.match(attempt({ make: () => Buffer.alloc(0), read }, Buffer.alloc(100)).fault ?? 'nothing', message));
  }
});
