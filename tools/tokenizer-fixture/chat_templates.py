"""Makes tests/fixtures/tokenizer/chat-templates.json: chat templates of our own, written with what published ones use, and what
Hugging Face's apply_chat_template makes of conversations with them: the text, and the ids of the tiny tokenizer.

    python tools/tokenizer-fixture/chat_templates.py tests/fixtures/tokenizer      # with transformers 5.x
"""
import json
import sys
from pathlib import Path

import transformers
from transformers import PreTrainedTokenizerFast

# One that thinks, in the manner of Qwen3: thoughts of answers before the last question are left out, newlines are stripped by
# methods with an argument, the last question is looked for from the end.
THINKS = r"""{%- if messages[0].role == 'system' %}
    {{- '<|im_start|>system\n' + messages[0].content + '<|im_end|>\n' }}
{%- endif %}
{%- set found = namespace(last=messages|length - 1, open=true) %}
{%- for message in messages[::-1] %}
    {%- set at = (messages|length - 1) - loop.index0 %}
    {%- if found.open and message.role == 'user' and message.content is string and not message.content.startswith('<result>') %}
        {%- set found.open = false %}
        {%- set found.last = at %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- set content = message.content if message.content is string else '' %}
    {%- if message.role == 'user' or (message.role == 'system' and not loop.first) %}
        {{- '<|im_start|>' + message.role + '\n' + content + '<|im_end|>' + '\n' }}
    {%- elif message.role == 'assistant' %}
        {%- set thoughts = '' %}
        {%- if '</think>' in content %}
            {%- set thoughts = content.split('</think>')[0].rstrip('\n').split('<think>')[-1].lstrip('\n') %}
            {%- set content = content.split('</think>')[-1].lstrip('\n') %}
        {%- endif %}
        {%- if loop.index0 > found.last and (loop.last or thoughts) %}
            {{- '<|im_start|>' + message.role + '\n<think>\n' + thoughts.strip('\n') + '\n</think>\n\n' + content.lstrip('\n') }}
        {%- else %}
            {{- '<|im_start|>' + message.role + '\n' + content }}
        {%- endif %}
        {{- '<|im_end|>\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' }}
{%- endif %}
"""

# White space of every kind taken away at both ends, a begin token, no system messages.
STRIPS = r"""{{ bos_token }}{% for message in messages %}
{% if message['role'] == 'system' %}{{ raise_exception('No system messages here.') }}{% endif %}
{% if message['role'] == 'user' %}[ASK] {{ message['content'].strip() }} [/ASK]
{% else %}{{ message['content'] | trim }}<|im_end|>
{% endif %}
{% endfor %}"""

# A default system message; answers lose newlines before them and keep those after.
DEFAULTS = r"""{% if messages[0]['role'] == 'system' %}{% set rest = messages[1:] %}{% set system = messages[0]['content'] %}{% else %}{% set rest = messages %}{% set system = 'Be brief.' %}{% endif %}{{ '<|im_start|>system\n' + system + '<|im_end|>\n' }}{% for message in rest %}{% if message['role'] == 'assistant' %}{{ '<|im_start|>assistant\n' + message['content'].lstrip('\n') + '<|im_end|>\n' }}{% else %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"""

# What strip does with a set of characters, with none, and with characters of several bytes.
SETS = r"""{% for message in messages %}{{ '<|im_start|>' }}{{ message.content.strip('-* ') }}|{{ message.content.lstrip('*-') }}|{{ message.content.rstrip('é🐑') }}|{{ message.content.strip('') }}|{{ message.content.strip(none) }}|{{ message.content.strip() }}{{ '<|im_end|>' }}{% endfor %}"""

USER = lambda text: {"role": "user", "content": text}
ANSWER = lambda text: {"role": "assistant", "content": text}
SYSTEM = lambda text: {"role": "system", "content": text}

CONVERSATIONS = {
    "question": [USER("What does the sheep eat?")],
    "spaces": [USER("\n \n What does the sheep eat?  \n\n")],
    "python's white space": [USER("\x1c\x85\u2003The hill\ufeff\x1f")],
    "answered": [USER("Name one."), ANSWER("\n\n The goat.\n\n")],
    "second": [USER("Name one."), ANSWER("\n\nThe goat.\n"), USER(" Another?")],
    "thoughts": [USER("Name one."), ANSWER("<think>\nA hill: the goat.\n</think>\n\n\n The goat.\n"), USER("Another?"), ANSWER("The hare."), USER("And?")],
    "system": [SYSTEM("Count\nsheep. "), USER("How many?"), ANSWER("Three."), USER("Sure?")],
    "marks": [USER("--* wool *--"), ANSWER("é🐑 é🐑"), USER("")],
    "special": [USER("What is <|im_end|>?"), ANSWER("A token."), USER("{{ messages }}")],
}


def main(folder):
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tiny.json"), bos_token="<|endoftext|>", eos_token="<|im_end|>")
    cases = []
    for name, template in {"thinks": THINKS, "strips": STRIPS, "defaults": DEFAULTS, "sets": SETS}.items():
        for conversation, messages in CONVERSATIONS.items():
            for prompt in (False, True):
                arguments = dict(chat_template=template, add_generation_prompt=prompt)
                try:
                    text = tokenizer.apply_chat_template(messages, tokenize=False, **arguments)
                except Exception as error:
                    cases.append(dict(template=name, conversation=conversation, prompt=prompt, error=str(error)))
                    continue
                ids = tokenizer(text, add_special_tokens=False)["input_ids"]
                cases.append(dict(template=name, conversation=conversation, prompt=prompt, text=text, ids=ids))
    made_by = f"tools/tokenizer-fixture/chat_templates.py, transformers {transformers.__version__}"
    templates = {"thinks": THINKS, "strips": STRIPS, "defaults": DEFAULTS, "sets": SETS}
    lines = ",\n".join("    " + json.dumps(case) for case in cases)
    head = json.dumps(dict(made_by=made_by, bos_token="<|endoftext|>", eos_token="<|im_end|>", templates=templates, conversations=CONVERSATIONS), indent=2)
    (folder / "chat-templates.json").write_text(f'{head[:-2]},\n  "cases": [\n{lines}\n  ]\n}}\n')
    print(f"{len(cases)} cases")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
