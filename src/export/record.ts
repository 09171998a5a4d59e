/** export.json and the model card: what was made of what, and what its test found. Only what was recorded or measured. */
import type { OpenedModel } from '../inference/open-model.ts';
import { blockLayouts } from '../formats/ggml.ts';
import type { WritableDType } from '../formats/quantise.ts';
import { elementCount } from '../formats/tensors.ts';
import { licenceOf, nameOf, verdictOf } from './gguf-model.ts';
import type { SelfTest } from './self-test.ts';

export const EXPORT_SCHEMA = 'roslin.export/1';

export type Target = 'gguf' | 'safetensors' | 'adapter';

/** How many tensors of a type there are, and which share of the values and bytes is theirs. */
export interface TypeShare {
  readonly tensors: number;
  readonly values: number;
  readonly share: number;
}

export interface ExportManifest {
  readonly schema: typeof EXPORT_SCHEMA;
  readonly to: Target;
  readonly type: string;
  readonly file: string;
  readonly bytes: number;
  /** SHA-256, hex, of the file, or of the weights' file in a folder. */
  readonly sha256: string;
  readonly model: { readonly name: string; readonly kind: OpenedModel['kind']; readonly family: string };
  readonly base: { readonly name: string; readonly sha256: string; readonly licence: string | null } | null;
  readonly data: { readonly name: string; readonly sha256: string; readonly licence: string | null } | null;
  readonly template: { readonly name: string; readonly hash: string; readonly stop: string };
  readonly licence: string | null;
  readonly verdict: string;
  readonly verdict_reasons: readonly string[];
  /** Whether it may be passed on, and what was accepted against the verdict. */
  readonly redistributable: boolean;
  readonly accepted: string | null;
  /** What was done to the weights before they were written. */
  readonly notes: readonly string[];
  readonly types: Readonly<Record<string, TypeShare>>;
  readonly versions: Readonly<Record<string, string>>;
  readonly seconds: { readonly write: number };
  readonly self_test: SelfTest | null;
}

export function typeShares(tensors: readonly { readonly dtype: WritableDType; readonly shape: readonly number[] }[]): Record<string, TypeShare> {
  const total = tensors.reduce((sum, { shape }) => sum + elementCount(shape)!, 0);
  const shares: Record<string, { tensors: number; values: number; share: number }> = {};
  for (const { dtype, shape } of tensors) {
    const share = (shares[dtype] ??= { tensors: 0, values: 0, share: 0 });
    share.tensors++;
    share.values += elementCount(shape)!;
    share.share = share.values / total;
  }
  return Object.fromEntries(Object.entries(shares).sort(([, a], [, b]) => b.values - a.values));
}

/** What every manifest says of the model. */
export function describeModel(model: OpenedModel): Pick<ExportManifest, 'model' | 'base' | 'data' | 'template' | 'licence' | 'verdict' | 'verdict_reasons'> {
  const { run, template, architecture } = model;
  const { verdict, reasons } = verdictOf(model);
  return {
    model: { name: nameOf(model.path), kind: model.kind, family: architecture.type },
    base: run?.base ? { name: nameOf(run.base.path), sha256: run.base.hash, licence: run.base.licence } : null,
    data: run ? { name: nameOf(run.data.path), sha256: run.data.hash, licence: run.data.licence } : null,
    template: { name: template.name, hash: template.hash, stop: template.stopToken },
    licence: licenceOf(model), verdict, verdict_reasons: reasons,
  };
}

/** Names come from paths that people chose: they must not become markup. */
const plain = (text: string) => text.replace(/[^\p{L}\p{N} ._/:@+;,()-]/gu, '?');

/** For a code span in a table: nothing in it is markup but its own end and the table's bars. */
const code = (text: string) => `\`${text.replace(/[`\p{Cc}]/gu, '?').replaceAll('|', '\\|')}\``;

const percent = (x: number) => `${(100 * x).toFixed(2)} %`;

export function exportCard(m: ExportManifest): string {
  const made = (what: ExportManifest['base']) => (what ? `${plain(what.name)}, sha256 \`${what.sha256}\`, licence ${plain(what.licence ?? 'unknown')}` : 'not recorded');
  return `---
library_name: ${m.to === 'gguf' ? 'gguf' : m.to === 'adapter' ? 'peft' : 'transformers'}
pipeline_tag: text-generation
---

# ${plain(m.model.name)}, ${m.to === 'adapter' ? 'adapter' : m.type.toUpperCase()}

Exported with Roslin.

| | |
|---|---|
| Base | ${made(m.base)} |
| Data | ${made(m.data)} |
| Licence | ${plain(m.licence ?? 'unknown')} |
| Licence verdict | ${plain(m.verdict)}${m.verdict_reasons.length > 0 ? `: ${m.verdict_reasons.map(plain).join('; ')}` : ''} |
| May be passed on | ${m.redistributable ? 'yes, with what its licences ask for' : 'no: the licence of a part is not known'}${m.accepted === null ? '' : ` (accepted against the verdict: ${plain(m.accepted)})`} |
| Template | ${plain(m.template.name)}, stop token ${code(m.template.stop)}, hash \`${m.template.hash}\` |
| File | ${plain(m.file)}, ${m.bytes} bytes, sha256 \`${m.sha256}\` |
| Types | ${Object.entries(m.types).map(([type, { share }]) => `${type} ${percent(share)} of the values`).join(', ')} |

${m.notes.map((note) => `${plain(note)}\n`).join('\n')}
${m.self_test ? testOf(m.self_test, m) : 'Not tried in llama.cpp, which does not read this format.\n'}`;
}

function testOf(t: SelfTest, m: ExportManifest): string {
  return `## Self-test

Loaded in llama.cpp (node-llama-cpp ${plain(m.versions['node-llama-cpp'] ?? '')}) and compared with Roslin's own forward pass in single precision, at ${t.positions} positions of answers.

| | found | bound |
|---|---|---|
| Texts and prompts with the same ids | ${t.texts} of ${t.texts} | all |
| Same token the likeliest (${t.ties} near ties left out) | ${percent(t.top1)} | ${percent(t.bound.top1)} |
| KL divergence, mean, nats | ${t.kl.toExponential(2)} | ${t.bound.kl} |
| Perplexity | ${t.perplexity.ours.toFixed(4)} ours, ${t.perplexity.theirs.toFixed(4)} in llama.cpp: ${percent(t.perplexity.relative)} | ${percent(t.bound.perplexity)} |
| Greedy answers that stop | ${t.greedy.stopped.theirs} of ${t.greedy.answers}, ${t.greedy.stopped.ours} ours | |
| Greedy answers that are the same | ${t.greedy.same} of ${t.greedy.answers} | |
`;
}

/** Bytes that tensors take, padding apart. */
export const bytesOfTensors = (tensors: readonly { readonly dtype: WritableDType; readonly shape: readonly number[] }[]): number =>
  tensors.reduce((sum, { dtype, shape }) => sum + (elementCount(shape)! / blockLayouts[dtype].values) * blockLayouts[dtype].bytes, 0);
