/**
 * What `roslin export` does before its self-test, in a process of its own: the GGUF at --model again as --type. Prints how long the
 * writing took, and how much memory it came to above what the opened model had.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { metadataOf, tensorsOf } from '../src/export/gguf-model.ts';
import { mergedWeights } from '../src/export/merge.ts';
import type { ExportType } from '../src/export/types.ts';
import { writeGguf } from '../src/formats/gguf-write.ts';
import { openModel } from '../src/inference/open-model.ts';

const { values } = parseArgs({ options: { model: { type: 'string' }, type: { type: 'string' }, out: { type: 'string' }, threads: { type: 'string' } } });
const field = (name: string) => 1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))![1]);

const model = await openModel(values.model!, { asItIs: true });
const weights = mergedWeights(model);
const type = values.type as ExportType;
const metadata = metadataOf(model, type, 'bench');
const before = field('VmRSS');
writeFileSync('/proc/self/clear_refs', '5'); // VmHWM counts from here
const began = performance.now();
await writeGguf(values.out!, { metadata, tensors: tensorsOf(model, type, weights), threads: Number(values.threads) });
const seconds = (performance.now() - began) / 1000;
weights.close();
console.log(JSON.stringify({ seconds, before, growth: field('VmHWM') - before }));
