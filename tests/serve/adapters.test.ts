/** Adapters beside their base: given by name, found in a folder while the server runs, and each as it is when it is opened by itself. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, renameSync } from 'node:fs';
import { after, test } from 'node:test';
import { InputError } from '../../src/errors.ts';
import { Answerer } from '../../src/inference/answer.ts';
import { loraRun } from '../export/models.ts';
import { Scratch, writeBase } from '../train/tiny-base.ts';
import { post, start, type Body } from './support.ts';

const scratch = new Scratch();
after(() => scratch[Symbol.dispose]());
const folder = scratch.join('adapters');
mkdirSync(folder);

const ask = async (url: string, model: string): Promise<string> => {
  const { status, body } = await post(url, '/v1/chat/completions', { model, messages: [{ role: 'user', content: 'Say otter and stop.' }], seed: 5 });
  assert.equal(status, 200, JSON.stringify(body));
  return body.choices[0]!.message.content;
};

async function alone(model: string, base?: string): Promise<string> {
  const answerer = await Answerer.open({ model, base, threads: 1 });
  const pieces = answerer.ask({ instruction: 'Say otter and stop.', context: '', maxNewTokens: 16, sampling: { temperature: 1, topP: 0.92, topK: 0 }, seed: 5 });
  let next = await pieces.next();
  while (!next.done) next = await pieces.next();
  await answerer.release();
  return next.value.answer;
}

test('model and adapters side by side, one that came later at once; added tokens and all', async () => {
  const run = await loraRun(scratch, 'llama', 'dolly');
  const base = scratch.join('base');
  await using s = await start(scratch, { service: { model: base, adaptersFolder: folder, adapters: new Map([['given', run]]) } });
  const [own, expected] = [await alone(base), await alone(run)];
  assert.notEqual(own, expected);
  assert.equal((await ask(s.url, 'tiny')).trim(), own);
  assert.equal(await ask(s.url, 'tiny:given'), expected);
  assert.equal((await post(s.url, '/v1/chat/completions', { model: 'tiny:late', messages: [{ role: 'user', content: 'x' }] })).status, 404);
  cpSync(run, `${folder}.late`, { recursive: true });
  renameSync(`${folder}.late`, `${folder}/late`);
  assert.deepEqual(await Promise.all(['tiny', 'tiny:late', 'tiny:given', 'tiny'].map(async (model) => (await ask(s.url, model)).trim())), [own, expected, expected, own]);
  const { data } = (await (await fetch(`${s.url}/v1/models`)).json()) as { data: Body['data'] };
  assert.deepEqual(data.map((m) => [m['id'], m['template'], m['licence_verdict'], m['parent']]), [['tiny', 'chat', 'unknown', undefined], ['tiny:given', 'dolly', 'share-alike', 'tiny'], ['tiny:late', 'dolly', 'share-alike', 'tiny']]);
});

test('what is no adapter, or another base\'s, is refused', async () => {
  using other = new Scratch();
  const run = await loraRun(other, 'qwen2', 'chat');
  const base = await writeBase(scratch.join('plain'), 'llama');
  await assert.rejects(start(scratch, { service: { model: base, adapters: new Map([['x', base]]) } }), (error) => error instanceof InputError && /expected a LoRA run/.test(error.message));
  await assert.rejects(start(scratch, { service: { model: base, adapters: new Map([['../x', run]]) } }), /expected a name of letters/);
  await using s = await start(scratch, { service: { model: base, adapters: new Map([['x', run]]) } });
  const { status, body } = await post(s.url, '/v1/chat/completions', { model: 'tiny:x', messages: [{ role: 'user', content: 'x' }] });
  assert.deepEqual([status, body.error.code], [500, 'adapter_unusable']);
  assert.ok(!JSON.stringify(body).includes(scratch.path), 'no place on this machine is told');
  assert.match(String((s.faults[0] as Error).cause), /expected the base that this adapter was trained on/);
});
