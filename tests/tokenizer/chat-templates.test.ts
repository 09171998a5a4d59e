/**
 * Chat templates against Hugging Face's apply_chat_template (tools/tokenizer-fixture/chat_templates.py): the text of the
 * renderer, and the ids of whole conversations.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { InputError } from '../../src/errors.ts';
import { chatTemplate } from '../../src/tokenizer/chat.ts';
import { dollyTemplate } from '../../src/tokenizer/dolly.ts';
import { encodeConversation } from '../../src/tokenizer/example.ts';
import { JinjaTemplate, type ChatMessage } from '../../src/tokenizer/jinja.ts';
import { withBosToken } from '../../src/tokenizer/template.ts';
import { tinyTokenizer } from './support.ts';

interface Case {
  readonly template: string;
  readonly conversation: string;
  readonly prompt: boolean;
  readonly text?: string;
  readonly ids?: readonly number[];
  readonly error?: string;
}

const fixture = JSON.parse(readFileSync(new URL('../fixtures/tokenizer/chat-templates.json', import.meta.url), 'utf8')) as {
  bos_token: string;
  eos_token: string;
  templates: Record<string, string>;
  conversations: Record<string, ChatMessage[]>;
  cases: Case[];
};
const tokenizer = tinyTokenizer();
const template = (name: string) =>
  chatTemplate(fixture.templates[name]!, { bosToken: fixture.bos_token, eosToken: fixture.eos_token, specialTokens: tokenizer.specialTokens, where: name });

test('the renderer writes what Hugging Face writes, and refuses where it does', () => {
  let refused = 0;
  for (const { template: name, conversation, prompt, text, error } of fixture.cases) {
    const variables = { messages: fixture.conversations[conversation]!, add_generation_prompt: prompt, bos_token: fixture.bos_token, eos_token: fixture.eos_token };
    const render = () => new JinjaTemplate(fixture.templates[name]!, name).render(variables);
    if (text !== undefined) assert.equal(render(), text, `${name}, ${conversation}`);
    else {
      assert.throws(render, (thrown: Error) => thrown instanceof InputError && thrown.message.includes(error!), `${name}, ${conversation}`);
      refused++;
    }
  }
  assert.ok(refused > 0 && fixture.cases.length - refused > 40);
});

describe('the prompt of a conversation', () => {
  for (const name of ['thinks', 'strips', 'defaults']) {
    test(`has Hugging Face's ids: ${name}`, () => {
      let compared = 0;
      for (const { conversation, prompt, ids, error } of fixture.cases.filter((c) => c.template === name)) {
        const messages = fixture.conversations[conversation]!;
        if (!prompt || messages.at(-1)!.role !== 'user') continue;
        const encode = () => [...encodeConversation(messages, tokenizer, template(name))];
        if (error !== undefined) assert.throws(encode, /system/);
        // There a special token in a person's text becomes one.
        else if (conversation === 'special') assert.equal(ids!.filter((id) => id === 2).length, encode().filter((id) => id === 2).length + 1);
        else assert.deepEqual(encode(), ids, conversation);
        compared++;
      }
      assert.ok(compared >= 6, String(compared));
    });
  }

  test('leaves out the thoughts of earlier answers only where the template does', () => {
    const thought: ChatMessage[] = [{ role: 'user', content: 'a' }, { role: 'assistant', content: '<think>\nTHOUGHT\n</think>\n\nb' }, { role: 'user', content: 'c' }];
    const text = (name: string) => template(name).conversation!(thought).map((s) => s.text ?? '').join('');
    assert.doesNotMatch(text('thinks'), /THOUGHT/);
    assert.match(text('defaults'), /THOUGHT/);
  });

  test('begins with the begin token where the base expects one', () => {
    const [first] = withBosToken(template('thinks'), '<|endoftext|>').conversation!([{ role: 'user', content: 'a' }]);
    assert.deepEqual(first, { special: '<|endoftext|>', trained: false });
  });

  test('is refused for Dolly, and absent where a template cannot write a second question', () => {
    assert.throws(() => encodeConversation([{ role: 'user', content: 'a' }], tokenizer, dollyTemplate), /expected a template that knows conversations, found dolly/);
    const once = "{% if messages | length > 2 %}{{ raise_exception('one question') }}{% endif %}{% for m in messages %}<|im_start|>{{ m.content }}<|im_end|>{% endfor %}{% if add_generation_prompt %}<|im_start|>{% endif %}";
    assert.equal(chatTemplate(once, { specialTokens: tokenizer.specialTokens }).conversation, undefined);
  });
});

test('an example under the template that thinks has empty thoughts to learn, and a newline before the answer less', () => {
  const segments = template('thinks').example({ instruction: 'I', context: '', response: '\n R\n' });
  assert.deepEqual(segments.filter((s) => s.trained), [{ text: '<think>\n\n</think>\n\n R\n', trained: true }, { special: '<|im_end|>', trained: true }]);
});
