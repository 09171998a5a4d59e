import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { InputError } from '../../src/errors.ts';
import { chatTemplate } from '../../src/tokenizer/chat.ts';
import { dollyTemplate } from '../../src/tokenizer/dolly.ts';
import { checkTemplate, joinTexts, withBosToken } from '../../src/tokenizer/template.ts';
import type { PromptTemplate, Segment } from '../../src/tokenizer/template.ts';

const specialTokens = ['<|im_start|>', '<|im_end|>', '<s>', '</s>', '<|eot|>', '<|eot|>x'];
const chat = (source: string, more: { bosToken?: string; eosToken?: string } = {}): PromptTemplate =>
  chatTemplate(source, { specialTokens, where: 'base', ...more });

/** Trained parts between ⟦ and ⟧, special tokens between « and ». */
const show = (segments: readonly Segment[]): string =>
  segments
    .map(({ text, special, trained }) => {
      const content = special === undefined ? (text as string) : `«${special}»`;
      return trained ? `⟦${content}⟧` : content;
    })
    .join('');

const CHATML =
  "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nBe kind.<|im_end|>\n' }}{% endif %}" +
  "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

describe("Dolly's template", () => {
  const intro =
    'Below is an instruction that describes a task. Write a response that appropriately completes the request.';

  test('without and with context', () => {
    assert.equal(
      show(dollyTemplate.example({ instruction: 'I?', context: '', response: 'R.' })),
      `${intro}\n\n«### Instruction:»\nI?\n\n«### Response:\n»⟦R.\n\n⟧⟦«### End»⟧`,
    );
    assert.equal(
      show(dollyTemplate.prompt({ instruction: 'I?', context: 'C' })),
      `${intro}\n\n«### Instruction:»\nI?\n\nInput:\nC\n\n«### Response:\n»`,
    );
  });

  test('adds its three keys in the order that gives 50277, 50278, 50279', () => {
    assert.deepEqual(dollyTemplate.addedTokens, ['### End', '### Instruction:', '### Response:\n']);
    assert.equal(dollyTemplate.stopToken, '### End');
  });

  test('leaves keys in the texts as texts', () => {
    const segments = dollyTemplate.example({ instruction: '### Response:\n', context: '### End', response: '### End' });
    assert.deepEqual(
      segments.filter((segment) => segment.special !== undefined).map((segment) => segment.special),
      ['### Instruction:', '### Response:\n', '### End'],
    );
  });
});

describe('a chat template', () => {
  test('keeps its default system message, trains the answer and the stop token, ends there', () => {
    const template = chat(CHATML, { bosToken: '<|im_start|>', eosToken: '<|im_end|>' });
    const before = '«<|im_start|>»system\nBe kind.«<|im_end|>»\n«<|im_start|>»user\n';
    assert.equal(
      show(template.example({ instruction: 'I', context: 'C', response: 'R\n' })),
      `${before}I\n\nInput:\nC«<|im_end|>»\n«<|im_start|>»assistant\n⟦R\n⟧⟦«<|im_end|>»⟧`,
    );
    assert.equal(show(template.prompt({ instruction: ' I', context: '' })), `${before} I«<|im_end|>»\n«<|im_start|>»assistant\n`);
    assert.equal(template.stopToken, '<|im_end|>');
    assert.deepEqual(template.addedTokens, []);
  });

  test('finds special tokens in its own output only', () => {
    const text = '<|im_end|>\n<|im_start|>system\n{{ messages }}{% raw %}</s>';
    const segments = chat(CHATML).example({ instruction: text, context: text, response: text });
    assert.equal(segments.filter((segment) => segment.special !== undefined).length, 6);
    assert.equal(segments.filter((segment) => segment.text?.includes(text)).length, 2);
  });

  test('does not take replacement patterns in texts for such', () => {
    assert.match(show(chat(CHATML).prompt({ instruction: "$& $1 $' \\n", context: '' })), /user\n\$& \$1 \$' \\n«/);
  });

  test('that trims messages is followed in that', () => {
    const trimming = CHATML.replace("message['content']", "message['content'] | trim");
    const segments = chat(trimming).example({ instruction: ' I ', context: ' C\n', response: '\n R ' });
    assert.match(show(segments), /user\nI \n\nInput:\n C«<\|im_end\|>»\n«<\|im_start\|>»assistant\n⟦R⟧⟦«<\|im_end\|>»⟧$/);
    const answerOnly = "{% for m in messages %}{% if m.role == 'user' %}<s>{{ m.content }}</s>{% else %}{{ m.content | trim }}</s>{% endif %}{% endfor %}";
    assert.equal(show(chat(answerOnly).example({ instruction: ' I ', context: '', response: ' R ' })), '«<s>» I «</s>»⟦R⟧⟦«</s>»⟧');
  });

  test('that strips newlines, or one side only, is followed in that', () => {
    const answer = (change: string, response: string) => chat(CHATML.replace("message['content']", `message['content']${change}`)).example({ instruction: 'I', context: '', response }).find((s) => s.trained)!.text;
    assert.equal(answer('.lstrip()', ' \n\tR\n'), 'R\n');
    assert.equal(answer('.rstrip()', ' R \n'), ' R');
    assert.equal(answer(".lstrip('\\n')", '\n R\n'), ' R\n');
    assert.equal(answer(".strip('\\n')", '\n R \n'), ' R ');
    assert.equal(answer(".rstrip('\\n')", '\n R \n'), '\n R ');
  });

  test('trains what it writes itself between generation prompt and answer', () => {
    const source = "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]{% else %} {{ m.content }} {{ eos_token }} {% endif %}{% endfor %}";
    const template = chat(source, { bosToken: '<s>', eosToken: '</s>' });
    assert.equal(
      show(template.example({ instruction: 'I', context: '', response: 'R' })),
      '«<s>»[INST] I [/INST]⟦ R ⟧⟦«</s>»⟧',
    );
    assert.equal(show(template.prompt({ instruction: 'I', context: '' })), '«<s>»[INST] I [/INST]');
  });

  test('loses one newline at its very end, as Jinja has it, and no other', () => {
    const source = "{% for m in messages %}<s>{{ m.content }}</s>\n{% endfor %}{% if add_generation_prompt %}<s>{% endif %}";
    const template = chat(`${source}\n`);
    assert.equal(show(template.prompt({ instruction: 'I', context: '' })), '«<s>»I«</s>»\n«<s>»');
  });

  test('takes the longest special token at a place', () => {
    const source = "{% for m in messages %}<s>{{ m.content }}{{ '<|eot|>x' }}{% endfor %}{% if add_generation_prompt %}<s>{% endif %}";
    assert.equal(chat(source).stopToken, '<|eot|>x');
  });

  test('has no clock: a date would make two runs differ', () => {
    const source = `{% if strftime_now is defined %}{{ strftime_now('%d') }}{% else %}no date {% endif %}${CHATML}`;
    assert.match(show(chat(source).prompt({ instruction: 'I', context: '' })), /^no date «/);
  });

  test('has a hash of its source and of the tokens it is used with', () => {
    const hashes = [chat(CHATML), chat(`{# note #}${CHATML}`), chat(CHATML, { bosToken: '<s>' })].map((template) => template.hash);
    assert.equal(new Set(hashes).size, 3);
    assert.equal(chat(CHATML).hash, hashes[0]);
  });

  const refused: [string, string, RegExp][] = [
    ['drops the instruction', "{% for m in messages %}{% if m.role == 'assistant' %}{{ m.content }}</s>{% endif %}{% endfor %}", /^base: expected a template that writes the instruction once and unchanged, found one that drops or alters it/],
    ['alters the answer', CHATML.replace("message['content']", "(message['content'] | upper)"), /writes the instruction once and unchanged, found one that drops or alters it/],
    ['repeats the instruction', CHATML.replace("message['content']", "message['content'] + message['content']"), /found one that writes it 2 times/],
    ['replaces spaces', CHATML.replace("message['content']", "message['content'] | replace(' ', '_')"), /expected a template that keeps or trims the text of a message, found one that changes it otherwise/],
    ['strips other characters', CHATML.replace("message['content']", "message['content'].strip('\\n Fx')"), /writes the instruction once and unchanged/],
    ['has no special token after the answer', "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}", /expected a special token after the answer/],
    ['generates from another beginning', CHATML.replace("{{ '<|im_start|>assistant\n' }}", "{{ '<|im_start|>bot\n' }}"), /expected examples that begin with the prompt used for generating/],
    ['raises', "{{ raise_exception('only with tools') }}", /expected a chat template that renders, found "only with tools"/],
    ['is not Jinja', '{% for %}', /expected a chat template that renders/],
    ['never ends', '{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% endfor %}{% endfor %}{% endfor %}', /timed out/],
    ['wants a huge range', '{{ range(1000000000) }}', /range\(\) of more than 10000/],
    ['is huge', ' '.repeat(300_000), /at most 262144 characters, found 300000/],
  ];
  for (const [what, source, message] of refused) {
    test(`that ${what} is refused with the reason`, () => {
      assert.throws(() => chat(source), (error: Error) => {
        assert.ok(error instanceof InputError, String(error));
        assert.match(error.message, message);
        return true;
      });
    });
  }
});

describe('templates', () => {
  test('begin with a begin token where the base expects it, once', () => {
    const template = withBosToken(dollyTemplate, '<s>');
    assert.match(show(template.example({ instruction: 'I', context: '', response: 'R' })), /^«<s>»Below/);
    assert.match(show(template.prompt({ instruction: 'I', context: '' })), /^«<s>»Below/);
    assert.notEqual(template.hash, dollyTemplate.hash);
    assert.equal(withBosToken(template, '<s>'), template);
  });

  test('that would teach nothing are refused when they are made', () => {
    const broken = (change: Partial<PromptTemplate>): (() => unknown) => () => checkTemplate({ ...dollyTemplate, ...change }, 'own');
    assert.throws(broken({ prompt: () => [] }), /own: expected a prompt before the answer, found none/);
    assert.throws(broken({ prompt: () => [{ text: 'x', trained: true }] }), /without trained parts/);
    assert.throws(broken({ prompt: () => [{ text: 'x', trained: false }] }), /begins with the prompt used for generating/);
    assert.throws(broken({ stopToken: '</s>' }), /ends with the stop token/);
  });

  test('join neighbouring texts of one kind only', () => {
    const t = (text: string, trained = false): Segment => ({ text, trained });
    assert.deepEqual(joinTexts([t('a'), t(''), t('b'), t('c', true), { special: 's', trained: false }, t('d'), t('e')]), [
      t('ab'),
      t('c', true),
      { special: 's', trained: false },
      t('de'),
    ]);
  });
});
