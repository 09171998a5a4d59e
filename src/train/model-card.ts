/** README.md of a run: only what was recorded. */
import { basename } from 'node:path';
import type { RunManifest } from '../artefacts/run.ts';
import type { OpenedModel } from '../inference/open-model.ts';
import { parameterCount } from '../models/architecture.ts';

const known = (licence: string | null) => licence ?? 'unknown';

/** Names come from paths that people chose: they must not become markup. */
const plain = (text: string) => text.replace(/[^\p{L}\p{N} ._/:@+,;()'-]/gu, '?');

/** For a code span in a table: nothing in it is markup but its own end and the table's bars. */
const code = (text: string) => `\`${text.replace(/[`\p{Cc}]/gu, '?').replaceAll('|', '\\|')}\``;

const isText = ({ template }: RunManifest): boolean => template.name === 'text';

const title = (run: RunManifest): string => {
  const [base, data] = [run.base && plain(basename(run.base.path)), plain(basename(run.data.path))];
  return !base ? `A base model, pre-trained on ${data}` : isText(run) ? `${base}, pre-trained further on ${data}` : `${base}, instructed on ${data}`;
};

/** What whoever passes the model or its data on owes, each with the clause it rests on. */
function obligations({ obligations: duties }: RunManifest): string {
  const all = duties ? [...duties.owed, ...duties.share_alike, ...duties.limits, ...duties.blocks] : [];
  const lines = [...new Set(all.map(({ part, licence, says, clause }) => `- ${plain(part)}, ${plain(licence)}: ${plain(says)} (${plain(clause)})`))];
  return lines.length === 0 ? '' : `## What the licences ask for\n\n${lines.join('\n')}\n\nThis informs and is not legal advice.\n\n`;
}

export function modelCard(run: RunManifest, model: OpenedModel): string {
  const { result } = run;
  const heldOut = result?.held_out;
  return `---
library_name: ${run.method === 'lora' ? 'peft' : 'transformers'}
pipeline_tag: text-generation
---

# ${title(run)}

Made with Roslin.

| | |
|---|---|
| Base | ${run.base ? `${plain(basename(run.base.path))}, sha256 \`${run.base.hash}\`, licence ${plain(known(run.base.licence))}` : `none: ${model.architecture.type} from random weights, ${parameterCount(model.architecture)} parameters`} |
| Data | ${plain(basename(run.data.path))}, ${run.data.records} ${isText(run) ? 'documents' : 'records'}, sha256 \`${run.data.hash}\`, licence ${plain(known(run.data.licence))}${run.data.dataset ? `, records sealed as \`${run.data.dataset.root}\`` : ''} |
| Licence verdict | ${run.verdict}${run.verdict_reasons ? `: ${run.verdict_reasons.map(plain).join('; ')}` : ''} |
${run.accepted ? `| Accepted against the verdict | ${plain(run.accepted.taint)} |\n` : ''}| Method | ${run.method} |
| Template | ${run.template.name}, stop token ${code(model.template.stopToken)} |
| Updates | ${result?.steps}, ${result?.trained_tokens} trained tokens, ${Math.round(result?.seconds ?? 0)} s |
| Held-out loss a ${isText(run) ? '' : 'response '}token | ${heldOut ? `${heldOut.before.toFixed(4)} before, ${heldOut.after.toFixed(4)} after` : 'not measured'} |
| Rows left out | ${run.dropped.length} too long |

${obligations(run)}\`run.json\` has every option, hash and version; \`metrics.jsonl\` has every update.
`;
}
